import type { Call } from '@heddle/kernel';
import type { MariadbConnection, MariadbPool } from '../mariadb/connection.ts';
import { mariadbError } from '../mariadb/mariadb-error.ts';
import {
  type Branch,
  type BranchId,
  type Decision,
  globalPrefix,
  type Participant,
  type PreparedBranch,
  type Vote,
} from './participant.ts';

/** What a MariaDB or MySQL participant is made from. */
export interface MariadbParticipantOptions<Connection extends MariadbConnection> {
  readonly name: string;
  readonly pool: MariadbPool<Connection>;
}

/** A MariaDB (10.5 and later) or MySQL (8 and later) database in a transaction, by XA. */
export class MariadbParticipant<Connection extends MariadbConnection> implements Participant {
  readonly name: string;
  readonly #pool: MariadbPool<Connection>;
  // While the session that prepared lives, no other may settle its branch.
  readonly #held = new Map<string, Connection>();

  constructor({ name, pool }: MariadbParticipantOptions<Connection>) {
    this.name = name;
    this.#pool = pool;
  }

  /** Work on a connection of its own, as a branch. It begins and ends no transaction itself. */
  branch<Result>(work: (connection: Connection, call: Call) => Promise<Result>): Branch<Result> {
    return {
      participant: this,
      prepare: (id, call) => this.#prepare(id, (connection) => work(connection, call)),
    };
  }

  async check(): Promise<void> {
    await this.#withConnection((connection) => this.#recover(connection));
  }

  async settle(id: BranchId, decision: Decision): Promise<void> {
    const xid = xidOf(id);
    const verb = decision === 'commit' ? 'COMMIT' : 'ROLLBACK';
    const held = this.#held.get(xid);
    if (held === undefined)
      return this.#withConnection((connection) => this.#settleBy(connection, xid, verb));
    this.#held.delete(xid);
    try {
      await held.query(`XA ${verb} ${xid}`);
      held.release();
    } catch (thrown) {
      // The next attempt is by another session: this one has to be gone before.
      held.destroy();
      throw mariadbError(this.name, thrown);
    }
  }

  async prepared(): Promise<readonly PreparedBranch[]> {
    const found = await this.#withConnection((connection) => this.#recover(connection));
    // It does not say since when: to be settled they must be undecided by nobody, which does not need it.
    return found.filter((id) => !this.#held.has(xidOf(id))).map((id) => ({ ...id, ageMs: 0 }));
  }

  async #settleBy(connection: Connection, xid: string, verb: string): Promise<void> {
    try {
      await connection.query(`XA ${verb} ${xid}`);
    } catch (thrown) {
      const error = mariadbError(this.name, thrown);
      if (error.reason !== 'XA_UNKNOWN') throw error;
      // Unknown is what it says of a branch whose session still lives, too: only the list tells.
      const found = await this.#recover(connection);
      if (!found.some((id) => xidOf(id) === xid)) return;
      throw error.with({ code: 'unavailable', reason: 'XA_ATTACHED' });
    }
  }

  async #prepare<Result>(
    id: BranchId,
    work: (connection: Connection) => Promise<Result>,
  ): Promise<Vote<Result>> {
    const xid = xidOf(id);
    let connection: Connection;
    try {
      connection = await this.#pool.getConnection();
    } catch (thrown) {
      return { yes: false, gone: true, error: mariadbError(this.name, thrown) };
    }
    let preparing = false;
    try {
      await connection.query(`XA START ${xid}`);
      const value = await work(connection);
      await connection.query(`XA END ${xid}`);
      preparing = true;
      await connection.query(`XA PREPARE ${xid}`);
      this.#held.set(xid, connection);
      return { yes: true, value };
    } catch (thrown) {
      // Without a session, what is not prepared is rolled back.
      connection.destroy();
      return { yes: false, gone: !preparing, error: mariadbError(this.name, thrown) };
    }
  }

  async #recover(connection: Connection): Promise<readonly BranchId[]> {
    const answer = (await connection.query('XA RECOVER')) as readonly unknown[];
    // mysql2 gives the rows and their description, mariadb the rows.
    const rows = (Array.isArray(answer[0]) ? answer[0] : answer) as readonly XaRow[];
    return rows.flatMap(({ gtrid_length: length, data }) => {
      const text = String(data);
      const prefix = `${globalPrefix}/`;
      if (!text.startsWith(prefix)) return [];
      return [{ tx: text.slice(prefix.length, Number(length)), branch: text.slice(Number(length)) }];
    });
  }

  async #withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    let connection: Connection | undefined;
    try {
      connection = await this.#pool.getConnection();
      const value = await work(connection);
      connection.release();
      return value;
    } catch (thrown) {
      connection?.destroy();
      throw mariadbError(this.name, thrown);
    }
  }
}

interface XaRow {
  readonly gtrid_length: number | bigint;
  readonly data: string | Uint8Array;
}

/** The global part has at most 64 bytes, and so has the branch's. */
function xidOf({ tx, branch }: BranchId): string {
  return `'${globalPrefix}/${tx}','${branch}'`;
}

import { type Call, HeddleError } from '@heddle/kernel';
import type { Sql, SqlPool } from '@heddle/sql';
import {
  type Branch,
  type BranchId,
  branchOf,
  type Decision,
  globalId,
  globalPrefix,
  type Participant,
  type PreparedBranch,
  type Vote,
} from './participant.ts';

/** What a PostgreSQL participant is made from. */
export interface PostgresParticipantOptions {
  readonly name: string;
  /** Its user must be the one that prepared, or a superuser. */
  readonly pool: SqlPool;
  /**
   * Connections to the same database that only settle. Default: `pool`, which is right as long as fewer branches work at one
   * time than it has: otherwise those that wait for a lock keep whoever has it from being settled.
   */
  readonly settlePool?: SqlPool;
  /** What global ids begin with. Default `heddle`; a service that is asked over RPC has its own. */
  readonly space?: string;
}

/**
 * A PostgreSQL database in a transaction. What is done in a branch may not LISTEN or NOTIFY nor touch temporary tables:
 * PostgreSQL refuses to prepare those. A prepared branch holds its locks, and stops the vacuum, until it is settled.
 */
export class PostgresParticipant implements Participant {
  readonly name: string;
  readonly #pool: SqlPool;
  readonly #settlePool: SqlPool;
  readonly #space: string;

  constructor({ name, pool, settlePool = pool, space = globalPrefix }: PostgresParticipantOptions) {
    this.name = name;
    this.#pool = pool;
    this.#settlePool = settlePool;
    this.#space = space;
  }

  /** Work in this database, as a branch. */
  branch<Result>(work: (sql: Sql, call: Call) => Promise<Result>): Branch<Result> {
    return { participant: this, prepare: (id, call) => this.#prepare(id, (sql) => work(sql, call)) };
  }

  async check(): Promise<void> {
    const [row] = await this.#pool.query<{ most: number }>(
      "SELECT current_setting('max_prepared_transactions')::integer AS most",
    );
    if (row?.most !== 0) return;
    const message = `participant ${this.name}: max_prepared_transactions of this PostgreSQL is 0, as it comes, so it cannot take part in a two-phase commit; set it to max_connections or more in postgresql.conf and restart the server`;
    throw new HeddleError({
      code: 'failed_precondition',
      reason: 'PREPARED_TRANSACTIONS_OFF',
      message,
      sent: false,
    });
  }

  async settle(id: BranchId, decision: Decision): Promise<void> {
    const gid = quoted(globalId(this.#space, id));
    try {
      await this.#settlePool.execute(`${decision === 'commit' ? 'COMMIT' : 'ROLLBACK'} PREPARED ${gid}`);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (stateOf(error) !== undefinedObject) throw error;
    }
  }

  async prepared(): Promise<readonly PreparedBranch[]> {
    const rows = await this.#settlePool.query<{ gid: string; age: number }>(
      `SELECT gid, extract(epoch FROM clock_timestamp() - prepared)::float8 * 1000 AS age FROM pg_prepared_xacts
         WHERE database = current_database() AND starts_with(gid, $1)`,
      [`${this.#space}/`],
    );
    return rows.flatMap(({ gid, age }) => {
      const id = branchOf(this.#space, gid);
      return id === undefined ? [] : [{ ...id, ageMs: age }];
    });
  }

  async #prepare<Result>(id: BranchId, work: (sql: Sql) => Promise<Result>): Promise<Vote<Result>> {
    let preparing = false;
    try {
      await this.#pool.transaction(async (sql) => {
        const value = await work(sql);
        preparing = true;
        // In a transaction that a swallowed error has doomed PREPARE would quietly roll back; SELECT fails before it.
        await sql.execute(`SELECT 1; PREPARE TRANSACTION ${quoted(globalId(this.#space, id))}`);
        // The connection has no transaction any more: the pool must not commit one.
        throw new Prepared(value);
      });
    } catch (thrown) {
      if (thrown instanceof Prepared) return { yes: true, value: thrown.value as Result };
      const error = HeddleError.from(thrown);
      // Before PREPARE was sent, the server rolls back whatever happens to the connection; it may say no itself, too.
      return { yes: false, gone: !preparing || stateOf(error) !== undefined, error };
    }
    throw new Error('a prepared transaction was committed');
  }
}

/** How the work leaves the pool's transaction once it is prepared. */
class Prepared extends Error {
  readonly value: unknown;

  constructor(value: unknown) {
    super('prepared');
    this.value = value;
  }
}

const undefinedObject = '42704';

/** What the server said, if it was the server that refused. */
function stateOf({ cause }: HeddleError): string | undefined {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('57') ? code : undefined;
}

/** Utility statements take no parameters. Ids are ours: letters, digits, `-`, `.` and `/`. */
function quoted(gid: string): string {
  return `'${gid.replaceAll("'", "''")}'`;
}

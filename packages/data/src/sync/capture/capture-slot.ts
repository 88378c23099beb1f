import { HeddleError } from '@heddle/kernel';
import type { SqlPool } from '@heddle/sql';

/** One entry of the log, as bytes of `pgoutput`. */
export interface LogEntry {
  /** Where it is in the log. */
  readonly position: number;
  readonly data: Uint8Array;
}

/** Something at a place in the log. */
export type LoggedChange = Pick<LogEntry, 'position'>;

/** What was read of the log: whole transactions. */
export interface CapturedLog {
  readonly entries: readonly LogEntry[];
  /** Where it ends, as the server writes it, and as a number. */
  readonly endLsn: string;
  readonly endPosition: number;
}

const mostEntries = 1000;

/** A place in the write-ahead log that the server keeps for us, and which tables' changes it is for. */
export class CaptureSlot {
  readonly #pool: SqlPool;
  /** Of the slot and the publication. */
  readonly #name: string;
  readonly #tables: readonly string[];

  constructor(pool: SqlPool, name: string, tables: readonly string[]) {
    this.#pool = pool;
    this.#name = name;
    this.#tables = tables;
  }

  /** Makes both, or finds them made. Rejects with `LOGICAL_REPLICATION_OFF` or `MAY_NOT_REPLICATE`. */
  async open(): Promise<void> {
    const [found] = await this.#pool.query<{ level: string; role: string; may: boolean }>(
      `SELECT current_setting('wal_level') AS level, quote_ident(rolname) AS role, rolreplication OR rolsuper AS may
         FROM pg_roles WHERE rolname = current_user`,
    );
    if (found?.level !== 'logical') throw off(found?.level ?? '');
    if (!found.may) throw mayNot(found.role);
    const tables = this.#tables.join(', ');
    await this.#pool.transaction(async (sql) => {
      // One at a time: two processes that start together make one.
      await sql.query("SELECT pg_advisory_xact_lock(hashtext('heddle_sync'))");
      const made = await sql.query('SELECT 1 FROM pg_publication WHERE pubname = $1', [this.#name]);
      await sql.execute(
        made.length === 0
          ? `CREATE PUBLICATION ${this.#name} FOR TABLE ${tables} WITH (publish = 'insert, update, delete, truncate')`
          : `ALTER PUBLICATION ${this.#name} SET TABLE ${tables}`,
      );
    });
    await this.#pool.query(
      `SELECT pg_create_logical_replication_slot($1, 'pgoutput')
         WHERE NOT EXISTS (SELECT 1 FROM pg_replication_slots WHERE slot_name = $1)`,
      [this.#name],
    );
  }

  /** What has come, up to so much; undefined: nothing, or somebody else reads. It is not taken off: see `advance`. */
  async peek(): Promise<CapturedLog | undefined> {
    const rows = await this.#pool
      .query<{ lsn: string; position: string; data: Uint8Array }>(
        `SELECT lsn, (lsn - '0/0'::pg_lsn)::text AS position, data
           FROM pg_logical_slot_peek_binary_changes($1, NULL, $2, 'proto_version', '1', 'publication_names', $3)`,
        [this.#name, mostEntries, this.#name],
      )
      .catch((thrown: unknown) => {
        if (isInUse(thrown)) return [];
        throw thrown;
      });
    const last = rows.at(-1);
    if (last === undefined) return undefined;
    const entries = rows.map(({ position, data }) => ({ position: Number(position), data }));
    return { entries, endLsn: last.lsn, endPosition: Number(last.position) };
  }

  /** All targets have it: the server need not keep it any more. */
  async advance(lsn: string): Promise<void> {
    await this.#pool
      .query('SELECT pg_replication_slot_advance($1, $2::pg_lsn)', [this.#name, lsn])
      .catch((thrown: unknown) => {
        // Whoever reads now finds it again, and its targets pass it over.
        if (!isInUse(thrown)) throw thrown;
      });
  }

  async lagBytes(): Promise<number> {
    const [row] = await this.#pool.query<{ bytes: string }>(
      `SELECT (pg_current_wal_insert_lsn() - confirmed_flush_lsn)::text AS bytes
         FROM pg_replication_slots WHERE slot_name = $1`,
      [this.#name],
    );
    return Number(row?.bytes ?? 0);
  }

  async remove(): Promise<void> {
    await this.#pool.query(
      'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1',
      [this.#name],
    );
    await this.#pool.execute(`DROP PUBLICATION IF EXISTS ${this.#name}`);
  }
}

/** Another session is at the slot: one at a time reads. */
function isInUse(thrown: unknown): boolean {
  const { cause } = HeddleError.from(thrown);
  return cause instanceof Error && Reflect.get(cause, 'code') === '55006';
}

function off(level: string): HeddleError {
  const message = `wal_level of this PostgreSQL is ${level}, so its changes cannot be read from its log; set it to logical in postgresql.conf and restart the server`;
  return new HeddleError({
    code: 'failed_precondition',
    reason: 'LOGICAL_REPLICATION_OFF',
    message,
    sent: false,
  });
}

function mayNot(role: string): HeddleError {
  const message = `user ${role} may not read the log of this PostgreSQL; an administrator can allow it: ALTER ROLE ${role} REPLICATION`;
  return new HeddleError({ code: 'permission_denied', reason: 'MAY_NOT_REPLICATE', message, sent: false });
}

import type { Part } from '@heddle/kernel';

/** What a parameter may be. An array becomes a PostgreSQL array; JSON is passed as its text. */
export type SqlValue = string | number | bigint | boolean | Date | Uint8Array | null | readonly SqlValue[];

/**
 * Statements against one database. `$1`, `$2` … stand for the values, which never become part of the text.
 * Rejects with a `HeddleError` (see `sqlError`). `bigint` columns come as numbers and are refused beyond
 * 2^53; `numeric` and `date` come as text, `timestamptz` as a `Date`.
 */
export interface Sql {
  /** The rows of one statement. The caller states their shape: it is what the statement selects. */
  query<Row extends object>(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]>;
  /** How many rows one statement touched. Without values, `text` may hold several statements. */
  execute(text: string, values?: readonly SqlValue[]): Promise<number>;
}

/** How a transaction is run. */
export interface TransactionOptions {
  /** Default `read committed`. Anything stricter can fail with `aborted` / `SERIALIZATION_FAILURE`. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  /**
   * How often the work may run in all: it runs again after a serialization failure or a deadlock, which have rolled
   * everything back, after a random pause (up to 10 ms, doubled each time, 250 ms at most). Default 1. More is for work whose only effects are its statements.
   */
  readonly attempts?: number;
  /** How long each of its statements may run. Default: the pool's. */
  readonly statementTimeoutMs?: number;
}

/** How busy a pool is. */
export interface SqlPoolLoad {
  /** Connections open, of which `idle` do nothing. */
  readonly open: number;
  readonly idle: number;
  /** Callers in the queue for a connection. */
  readonly waiting: number;
}

/** A bounded number of connections to one database. As a part: `start` proves that it can be reached. */
export interface SqlPool extends Sql, Part {
  /**
   * Runs `work` on one connection and commits; rolls back if it rejects. A connection lost during the commit
   * rejects with `unknown` / `COMMIT_UNKNOWN`: it may have happened, and only a look at the data tells.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>, options?: TransactionOptions): Promise<T>;
  readonly load: SqlPoolLoad;
}

import { HeddleError, type Part, type Runtime, type Timer } from '@heddle/kernel';
import { type Migration, migrate, prepared, type Sql, type SqlPool } from '@heddle/sql';
import type { InboxStore } from './inbox.ts';

/** What an inbox in SQL is made from. */
export interface SqlInboxOptions {
  readonly runtime: Runtime;
  /** The database with the handler's own tables. */
  readonly pool: SqlPool;
  /** How long a message is remembered: longer than it can take to come again. Default 30 days. */
  readonly keepMs?: number;
}

const migrations: readonly Migration[] = [
  {
    id: '0001-inbox',
    sql: `
      CREATE TABLE heddle_inbox (
        group_name text NOT NULL,
        message_id text NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (group_name, message_id)
      );
      CREATE INDEX heddle_inbox_recorded ON heddle_inbox USING brin (recorded_at);`,
  },
];

// In one order, so that two that record the same ones wait for each other in a line and not in a circle.
const recordAll = prepared(
  `INSERT INTO heddle_inbox (group_name, message_id)
     SELECT $1, id FROM (SELECT DISTINCT unnest($2::text[]) AS id) AS given ORDER BY id
     ON CONFLICT DO NOTHING RETURNING message_id`,
);
const pruneEveryMs = 3_600_000;

/**
 * An inbox in the receiver's database. As a part of an app: `start` makes its table, and from then on old records are
 * deleted once an hour.
 */
export class SqlInbox implements InboxStore<Sql>, Part {
  readonly name = 'inbox';
  readonly #options: SqlInboxOptions;
  #prune: Timer | undefined;
  #pruning: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: SqlInboxOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await migrate(this.#options.pool, 'heddle_inbox', migrations);
    this.#pruneLater();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#prune?.cancel();
    await this.#pruning;
  }

  transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
    return this.#options.pool.transaction(work);
  }

  async record(sql: Sql, group: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await sql.query<{ message_id: string }>(recordAll, [group, ids]);
    return new Set(rows.map((row) => row.message_id));
  }

  #pruneLater(): void {
    if (this.#stopped) return;
    const { runtime } = this.#options;
    this.#prune = runtime.timers.after(pruneEveryMs * (0.5 + 0.5 * runtime.random.float()), () => {
      this.#pruning = this.#pruneNow();
    });
  }

  async #pruneNow(): Promise<void> {
    const { pool, runtime, keepMs = 30 * 86_400_000 } = this.#options;
    try {
      await pool.execute(
        "DELETE FROM heddle_inbox WHERE recorded_at < now() - $1 * interval '1 millisecond'",
        [keepMs],
      );
    } catch (thrown) {
      runtime.log('debug', 'old records of the inbox have to wait', {
        error: HeddleError.from(thrown).message,
      });
    }
    this.#pruneLater();
  }
}

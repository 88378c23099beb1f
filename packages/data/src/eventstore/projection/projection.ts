import { HeddleError, type Part } from '@heddle/kernel';
import type { Sql } from '@heddle/sql';
import type { EventStore } from '../event-store.ts';
import type { StoredEvent } from '../events/event.ts';
import { EventSubscription, type EventSubscriptionOptions } from '../subscription/subscription.ts';

/** A table that is made of events. */
export interface Projection {
  /** Names the view that readers use, e.g. `order_totals`: lower-case letters, digits, `_`, at most 40. */
  readonly name: string;
  /** Grows whenever the table or the handler changes: then it is built anew, beside the one in use. */
  readonly version: number;
  /** Statements that make the table; `{table}` stands for its name. */
  readonly sql: string;
  readonly types?: readonly string[];
  /** What events do to the table, in order; its name is `table`. */
  apply(events: readonly StoredEvent[], sql: Sql, table: string): Promise<void>;
}

/** How it is run. */
export type ProjectionOptions = Pick<
  EventSubscriptionOptions,
  'slices' | 'batch' | 'attempts' | 'backoff' | 'pollMs' | 'handlerTimeoutMs'
>;

/**
 * Keeps a projection. A new version is built in a table of its own while the old one is read and kept; when it has
 * caught up, the view `name` shows it, in one step: readers never see a half. The table before stays for instances of the
 * older program that still run; drop it when they are gone.
 */
export class RunningProjection implements Part {
  readonly name: string;
  readonly #store: EventStore;
  readonly #projection: Projection;
  readonly #subscription: EventSubscription;
  readonly #table: string;
  #live: Promise<void> = Promise.resolve();
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(store: EventStore, projection: Projection, options: ProjectionOptions = {}) {
    checkProjection(projection);
    this.name = `projection ${projection.name}`;
    this.#store = store;
    this.#projection = projection;
    this.#table = `${projection.name}_v${projection.version}`;
    const types = projection.types === undefined ? {} : { types: projection.types };
    this.#subscription = new EventSubscription(
      store,
      { ...options, ...types, name: `projection ${this.#table}` },
      (events, sql) => projection.apply(events, sql, this.#table),
    );
  }

  /** Resolves when it runs; `caughtUp` says when readers see it. */
  async start(): Promise<void> {
    await this.#store.pool.transaction(async (sql) => {
      await sql.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7241))', [this.#table]);
      const [known] = await sql.query<{ oid: number | null }>('SELECT to_regclass($1)::oid AS oid', [
        this.#table,
      ]);
      if (known?.oid === null) await sql.execute(this.#projection.sql.replaceAll('{table}', this.#table));
    });
    await this.#subscription.start();
    this.#live = this.#showWhenCaughtUp();
  }

  /** Resolves when the view shows this version; or when it is stopped before. */
  caughtUp(): Promise<void> {
    return this.#live;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#subscription.stop();
    await this.#live;
  }

  async #showWhenCaughtUp(): Promise<void> {
    const { pool, runtime } = this.#store;
    const [log] = await pool.query<{ next: number }>('SELECT next FROM heddle_event_log');
    const goal = (log?.next ?? 1) - 1;
    while (!this.#stopped) {
      if (await this.#hasReached(goal)) {
        await this.#show();
        return;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        runtime.timers.after(100, resolve);
      });
    }
  }

  /** Nothing up to the goal is left for any slice. */
  async #hasReached(goal: number): Promise<boolean> {
    const { types } = this.#projection;
    const [row] = await this.#store.pool.query<{ left: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM heddle_events WHERE position <= $2
           AND position > (SELECT min(position) FROM heddle_event_checkpoints WHERE subscription = $1)
           ${types === undefined ? '' : 'AND type = ANY ($3::text[])'}) AS left`,
      types === undefined ? [`projection ${this.#table}`, goal] : [`projection ${this.#table}`, goal, types],
    );
    return row?.left === false;
  }

  /** The view shows this table, unless it shows a newer one. */
  async #show(): Promise<void> {
    const { name, version } = this.#projection;
    await this.#store.pool.transaction(async (sql) => {
      await sql.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7241))', [name]);
      const [shown] = await sql.query<{ comment: string | null }>(
        "SELECT obj_description(to_regclass($1), 'pg_class') AS comment",
        [name],
      );
      if (Number(shown?.comment ?? 0) >= version) return;
      // Columns may differ from those of the version before, which CREATE OR REPLACE does not allow.
      await sql.execute(`DROP VIEW IF EXISTS ${name}; CREATE VIEW ${name} AS SELECT * FROM ${this.#table};
        COMMENT ON VIEW ${name} IS '${version}'`);
    });
  }
}

function checkProjection({ name, version }: Projection): void {
  const problems: string[] = [];
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(name))
    problems.push(`name: expected 1 to 40 lower-case letters, digits and "_", found ${JSON.stringify(name)}`);
  if (!Number.isSafeInteger(version) || version < 1)
    problems.push(`version: expected a whole number from 1, found ${version}`);
  if (problems.length === 0) return;
  const message = `the projection cannot be run: ${problems.join('; ')}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_PROJECTION', message, sent: false });
}

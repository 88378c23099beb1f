import { type Gather, type HeddleError, type Part, type Runtime, sleep } from '@heddle/kernel';
import { migrate, prepared, type Sql, type SqlListener, type SqlPool, sqlListener } from '@heddle/sql';
import { type AppendRequest, appendAll } from './append/append.ts';
import { groupCommit } from './append/group-commit.ts';
import { readyEvents } from './events/check-events.ts';
import type { Appended, ExpectedVersion, NewEvent, StoredEvent } from './events/event.ts';
import { type EventRow, eventColumns, storedEvent } from './read/stored-event.ts';
import { type Upcasts, upcaster } from './read/upcasts.ts';
import { migrations, wakeChannel } from './schema.ts';

// A wake-up is no reason to wait for the disk.
const notify = prepared(
  `SELECT set_config('synchronous_commit', 'off', true), pg_notify('${wakeChannel}', '')`,
);
// Who listens in this process is told at once; the others of the first append at once, and then not of each.
const notifyEveryMs = 5;

/**
 * Hides the data of events at rest: `seal` before they are stored, `open` when they are read. With a key for each person
 * or stream, throwing a key away makes that data unreadable for ever (crypto-shredding): `open` then gives what is shown
 * instead.
 */
export interface EventCipher {
  seal(stream: string, data: unknown): Promise<unknown>;
  open(stream: string, data: unknown): Promise<unknown>;
}

/** What a store is made from. */
export interface EventStoreOptions {
  readonly runtime: Runtime;
  /** Where the tables are. The store does not stop it. */
  readonly pool: SqlPool;
  /** The same database: for a connection of its own, by which subscribers hear of appends at once. */
  readonly url: string;
  readonly upcasts?: Upcasts;
  readonly cipher?: EventCipher;
}

/** What part of a stream to read. */
export interface ReadOptions {
  /** Default `forward`. */
  readonly direction?: 'forward' | 'backward';
  /** The first version to read, in the direction. Default: the first, or the last. */
  readonly from?: number;
  /** Default 1000, at most 10000. */
  readonly limit?: number;
}

/** What part of the whole store to read. */
export interface ReadAllOptions {
  /** Events behind this position. Default 0: from the beginning. */
  readonly after?: number;
  /** Events of these types only. Default: all. */
  readonly types?: readonly string[];
  /** Default 1000, at most 10000. */
  readonly limit?: number;
}

/**
 * Streams of events in PostgreSQL. As a part: `start` makes the tables; `stop` ends when what is being appended is
 * stored.
 */
export class EventStore implements Part {
  readonly name = 'event store';
  readonly runtime: Runtime;
  readonly pool: SqlPool;
  readonly #options: EventStoreOptions;
  readonly #commits: Gather<AppendRequest, Appended>;
  readonly #upcast: (event: StoredEvent) => StoredEvent;
  readonly #local = new Set<() => void>();
  #listener: SqlListener | undefined;
  #telling: Promise<void> | undefined;
  #tellAgain = false;

  constructor(options: EventStoreOptions) {
    this.runtime = options.runtime;
    this.pool = options.pool;
    this.#options = options;
    this.#commits = groupCommit(options.pool, () => this.#tell());
    this.#upcast = upcaster(options.upcasts ?? {});
  }

  async start(): Promise<void> {
    await migrate(this.pool, 'heddle_events', migrations);
    this.#listener = sqlListener(this.#options.url, wakeChannel, this.runtime);
    this.#listener.on(() => this.#wake());
  }

  async stop(): Promise<void> {
    await this.#commits.settled();
    await this.#telling;
    await this.#listener?.close();
  }

  /**
   * Appends events to a stream, all or none; resolves when they are as durable as a commit is. Events that are there
   * already (by id, the same in the same stream) are not stored again. Rejects with `aborted` / `VERSION_CONFLICT` when
   * the stream is not as expected: `details` says how it is.
   */
  async append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedVersion = 'any',
  ): Promise<Appended> {
    const sealed = await this.#sealed(stream, events);
    const ready = readyEvents(stream, sealed, expected, this.runtime.random);
    return this.#commits.add({ stream, expected, events: ready });
  }

  /**
   * As `append`, as part of the caller's transaction. Other appends wait until that ends: append last. Subscribers see it
   * after the commit, when they look next (within a second), or at once after `wake`.
   */
  async appendIn(
    sql: Sql,
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedVersion = 'any',
  ): Promise<Appended> {
    const sealed = await this.#sealed(stream, events);
    const ready = readyEvents(stream, sealed, expected, this.runtime.random);
    const [outcome] = await appendAll(sql, [{ stream, expected, events: ready }]);
    if (isAppended(outcome)) return outcome;
    throw outcome as HeddleError;
  }

  /** Tells subscribers to look, after a transaction with `appendIn` has committed. */
  wake(): void {
    this.#tell();
  }

  /** The events of a stream, in order. One that nobody has appended to has none. */
  async read(stream: string, options: ReadOptions = {}): Promise<readonly StoredEvent[]> {
    const { direction = 'forward', limit = 1000 } = options;
    const forward = direction === 'forward';
    const from = options.from ?? (forward ? 0 : Number.MAX_SAFE_INTEGER);
    const rows = await this.pool.query<EventRow>(
      `SELECT ${eventColumns} FROM heddle_events WHERE stream = $1 AND version ${forward ? '>=' : '<='} $2
         ORDER BY version ${forward ? '' : 'DESC'} LIMIT $3`,
      [stream, from, atMost(limit)],
    );
    return this.opened(rows);
  }

  /** The events of all streams, by position. */
  async readAll(options: ReadAllOptions = {}): Promise<readonly StoredEvent[]> {
    const { after = 0, types, limit = 1000 } = options;
    const rows = await this.pool.query<EventRow>(
      `SELECT ${eventColumns} FROM heddle_events WHERE position > $1
         ${types === undefined ? '' : 'AND type = ANY ($3::text[])'} ORDER BY position LIMIT $2`,
      types === undefined ? [after, atMost(limit)] : [after, atMost(limit), types],
    );
    return this.opened(rows);
  }

  /** The version of a stream; 0 if it has no events. */
  async version(stream: string): Promise<number> {
    const [row] = await this.pool.query<{ version: number }>(
      'SELECT version FROM heddle_event_streams WHERE stream = $1',
      [stream],
    );
    return row?.version ?? 0;
  }

  /** Takes no more events in this stream; what is there can be read. */
  async archive(stream: string): Promise<void> {
    await this.pool.execute("UPDATE heddle_event_streams SET state = 'archived' WHERE stream = $1", [stream]);
  }

  /** Removes the events of a stream for good. Its name stays taken, so that it cannot begin anew unnoticed. */
  async delete(stream: string): Promise<void> {
    await this.pool.transaction(async (sql) => {
      // After the lock of the log, so that no append is under way.
      await sql.query('SELECT next FROM heddle_event_log FOR UPDATE');
      await sql.execute("UPDATE heddle_event_streams SET state = 'deleted' WHERE stream = $1", [stream]);
      await sql.execute('DELETE FROM heddle_event_snapshots WHERE stream = $1', [stream]);
      await sql.execute('DELETE FROM heddle_events WHERE stream = $1', [stream]);
    });
  }

  /** Calls `listener` when something may have been appended, here or elsewhere. Returns what ends that. */
  onAppend(listener: () => void): () => void {
    const own = (): void => listener();
    this.#local.add(own);
    return () => this.#local.delete(own);
  }

  /** Rows as events of today's shape. For subscriptions, which read in transactions of their own. */
  async opened(rows: readonly EventRow[]): Promise<readonly StoredEvent[]> {
    const { cipher } = this.#options;
    const events = rows.map(storedEvent);
    if (cipher === undefined) return events.map(this.#upcast);
    return Promise.all(
      events.map(async (event) =>
        this.#upcast({ ...event, data: await cipher.open(event.stream, event.data) }),
      ),
    );
  }

  async #sealed(stream: string, events: readonly NewEvent[]): Promise<readonly NewEvent[]> {
    const { cipher } = this.#options;
    if (cipher === undefined) return events;
    return Promise.all(
      events.map(async (event) => ({ ...event, data: await cipher.seal(stream, event.data) })),
    );
  }

  #wake(): void {
    for (const listener of this.#local) listener();
  }

  /** One wake-up at a time is on its way; it is no part of a commit, since a NOTIFY makes commits wait for each other. */
  #tell(): void {
    this.#wake();
    this.#tellAgain = true;
    this.#telling ??= this.#send();
  }

  async #send(): Promise<void> {
    while (this.#tellAgain) {
      this.#tellAgain = false;
      await this.pool.query(notify).catch(() => {});
      await sleep(this.runtime.timers, notifyEveryMs);
    }
    this.#telling = undefined;
  }
}

function isAppended(outcome: Appended | HeddleError | undefined): outcome is Appended {
  return outcome !== undefined && 'version' in outcome;
}

function atMost(limit: number): number {
  return Math.max(1, Math.min(10_000, Math.floor(limit)));
}

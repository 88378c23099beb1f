import { HeddleError, type Runtime } from '@heddle/kernel';
import { migrate, type Sql, type SqlPool, sqlListener } from '@heddle/sql';
import type { SagaInput, SagaState, SagaStatus } from './saga-state.ts';
import { migrations, wakeChannel } from './schema.ts';

/** A saga as it is stored. */
export interface SagaRow {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly input: unknown;
  readonly state: SagaState;
  readonly correlationId: string;
  readonly epoch: number;
}

/** A saga for people. */
export interface SagaView extends SagaRow {
  readonly status: SagaStatus;
  /** Who is at work on it; undefined while it waits, is parked or has ended. */
  readonly worker: string | undefined;
  readonly begunAt: Date;
  readonly changedAt: Date;
}

/** What was said to a saga, by whom. */
export interface SagaMessage {
  readonly number: number;
  readonly input: SagaInput;
}

/** A change of a saga. */
export interface SagaChange {
  readonly row: SagaRow;
  readonly dueMs: number | undefined;
  /** False: nobody needs to be at work on it until it is due or spoken to. */
  readonly kept: boolean;
  /** Messages that this change has taken in. */
  readonly taken: readonly number[];
}

/** Where sagas are durable, for one worker. An operation that resolves is; one that rejects may be, or not. */
export interface SagaKeeper {
  /** Makes what it needs. */
  open(): Promise<void>;
  /** Calls back with the id of a saga that was spoken to or has ended, anywhere; undefined: some may have been missed. */
  listen(runtime: Runtime, onNews: (id: string | undefined) => void): () => Promise<void>;
  /** Stores sagas that begin, as this worker's. Those that are known already are left alone; ids of the new ones. */
  begin(changes: readonly SagaChange[], sql?: Sql): Promise<ReadonlySet<string>>;
  /** Stores changes; ids of those that are still this worker's. The others are unchanged. */
  save(changes: readonly SagaChange[]): Promise<ReadonlySet<string>>;
  /** Says that this worker lives. */
  live(leaseMs: number): Promise<void>;
  /** This worker leaves: what it has is free at once. */
  leave(): Promise<void>;
  /**
   * Takes over sagas of these definitions that have something to do and nobody who does it. With `atWork`, its own too
   * that are not among those: an answer may have been lost that said that it has them.
   */
  claim(
    definitions: readonly { readonly name: string; readonly version: number }[],
    nowMs: number,
    most: number,
    atWork?: readonly string[],
  ): Promise<readonly SagaRow[]>;
  /** Says something to a saga: it is stored before it is acted on. */
  say(id: string, input: SagaInput, by: string): Promise<void>;
  /** What was said to a saga and not yet taken in, in order. */
  said(id: string): Promise<readonly SagaMessage[]>;
  /** Rejects with `not_found` / `NO_SAGA`. */
  get(id: string): Promise<SagaView>;
  /** The newest first. */
  list(options?: {
    readonly status?: SagaStatus;
    readonly name?: string;
    readonly limit?: number;
  }): Promise<readonly SagaView[]>;
  /** What people and systems have said to a saga, in order, taken in or not. */
  audit(id: string): Promise<readonly SagaAudit[]>;
  /** Wakes whoever has these sagas or waits for them. Never rejects. */
  tell(ids: readonly string[]): Promise<void>;
}

/** What was said to a saga, by whom. */
export interface SagaAudit extends SagaMessage {
  readonly by: string;
  readonly at: Date;
  readonly taken: boolean;
}

interface DatabaseRow {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly status: SagaStatus;
  readonly input: unknown;
  readonly state: SagaState;
  readonly correlation_id: string;
  readonly epoch: number;
  readonly worker: string | null;
  readonly begun_at: Date;
  readonly changed_at: Date;
}

const columns =
  'id, name, version, status, input, state, correlation_id, epoch, worker, begun_at, changed_at';

/** Sagas in PostgreSQL. */
export class SagaStore implements SagaKeeper {
  readonly #pool: SqlPool;
  readonly #url: string;
  readonly #worker: string;

  constructor(pool: SqlPool, url: string, worker: string) {
    this.#pool = pool;
    this.#url = url;
    this.#worker = worker;
  }

  async open(): Promise<void> {
    await migrate(this.#pool, 'heddle_sagas', migrations);
  }

  listen(runtime: Runtime, onNews: (id: string | undefined) => void): () => Promise<void> {
    const listener = sqlListener(this.#url, wakeChannel, runtime);
    listener.on(onNews);
    return () => listener.close();
  }

  /** Stores sagas that begin, as this worker's. Those that are known already are left alone; ids of the new ones. */
  async begin(changes: readonly SagaChange[], sql: Sql = this.#pool): Promise<ReadonlySet<string>> {
    const rows = await sql.query<{ id: string }>(
      `INSERT INTO heddle_sagas (id, name, version, status, input, state, correlation_id, worker, due_ms)
         SELECT id, name, version, status, input::json, state::json, correlation_id, CASE WHEN kept THEN $9 END, due_ms
           FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[],
             $8::bigint[], $10::boolean[])
             AS given (id, name, version, status, input, state, correlation_id, due_ms, kept)
         ON CONFLICT (id) DO NOTHING RETURNING id`,
      [
        changes.map(({ row }) => row.id),
        changes.map(({ row }) => row.name),
        changes.map(({ row }) => row.version),
        changes.map(({ row }) => row.state.status),
        changes.map(({ row }) => JSON.stringify(row.input ?? null)),
        changes.map(({ row }) => JSON.stringify(row.state)),
        changes.map(({ row }) => row.correlationId),
        changes.map(({ dueMs }) => dueMs ?? null),
        this.#worker,
        changes.map(({ kept }) => kept),
      ],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /** Stores changes; ids of those that are still this worker's. The others are somebody else's by now, and unchanged. */
  async save(changes: readonly SagaChange[]): Promise<ReadonlySet<string>> {
    const taken = changes.flatMap((change) => change.taken);
    const rows = await this.#pool.query<{ id: string }>(
      `WITH given AS (
         SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::boolean[])
           AS given (id, epoch, status, state, due_ms, kept)
       ), saved AS (
         UPDATE heddle_sagas AS saga SET status = given.status, state = given.state::json, due_ms = given.due_ms,
             worker = CASE WHEN given.kept THEN saga.worker END, changed_at = now()
           FROM given WHERE saga.id = given.id AND saga.epoch = given.epoch
           RETURNING saga.id
       ), done AS (
         UPDATE heddle_saga_messages AS message SET taken = true FROM saved
           WHERE message.saga = saved.id AND message.number = ANY ($7::bigint[])
       )
       SELECT id FROM saved`,
      [
        changes.map(({ row }) => row.id),
        changes.map(({ row }) => row.epoch),
        changes.map(({ row }) => row.state.status),
        changes.map(({ row }) => JSON.stringify(row.state)),
        changes.map(({ dueMs }) => dueMs ?? null),
        changes.map(({ kept }) => kept),
        taken,
      ],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /** Says that this worker lives. */
  async live(leaseMs: number): Promise<void> {
    await this.#pool.execute(
      `INSERT INTO heddle_saga_workers (worker, lives_until) VALUES ($1, clock_timestamp() + $2 * interval '1 millisecond')
         ON CONFLICT (worker) DO UPDATE SET lives_until = EXCLUDED.lives_until`,
      [this.#worker, leaseMs],
    );
  }

  /** This worker leaves: what it has is free at once. */
  async leave(): Promise<void> {
    await this.#pool.execute('DELETE FROM heddle_saga_workers WHERE worker = $1', [this.#worker]);
  }

  /** Those that another process takes at this moment are passed over. */
  async claim(
    definitions: readonly { readonly name: string; readonly version: number }[],
    nowMs: number,
    most: number,
    atWork?: readonly string[],
  ): Promise<readonly SagaRow[]> {
    const rows = await this.#pool.query<DatabaseRow>(
      `UPDATE heddle_sagas SET worker = $1, epoch = epoch + 1, wanted = false WHERE id IN (
         SELECT saga.id FROM heddle_sagas AS saga
           JOIN unnest($2::text[], $3::integer[]) AS known (name, version) USING (name, version)
           WHERE (status IN ('running', 'compensating') OR wanted)
             AND (worker IS NULL AND (wanted OR due_ms <= $4)
               OR worker IS NOT NULL AND NOT EXISTS (SELECT 1 FROM heddle_saga_workers AS alive
                 WHERE alive.worker = saga.worker AND lives_until > clock_timestamp())
               OR worker = $1 AND saga.id <> ALL ($6::text[]))
           ORDER BY due_ms NULLS FIRST LIMIT $5 FOR UPDATE OF saga SKIP LOCKED
       ) RETURNING ${columns}`,
      [
        this.#worker,
        definitions.map(({ name }) => name),
        definitions.map(({ version }) => version),
        nowMs,
        most,
        // Compared with NULL nothing is anything.
        atWork ?? null,
      ],
    );
    return rows.map(viewOf);
  }

  /** Says something to a saga: it is stored before it is acted on. */
  async say(id: string, input: SagaInput, by: string): Promise<void> {
    const said = await this.#pool.execute(
      `WITH wanted AS (UPDATE heddle_sagas SET wanted = true WHERE id = $1 RETURNING id)
         INSERT INTO heddle_saga_messages (saga, input, said_by) SELECT id, $2, $3 FROM wanted`,
      [id, JSON.stringify(input), by],
    );
    if (said === 0) throw noSaga(id);
  }

  /** What was said to a saga and not yet taken in, in order. */
  async said(id: string): Promise<readonly SagaMessage[]> {
    return this.#pool.query<{ number: number; input: SagaInput }>(
      'SELECT number, input FROM heddle_saga_messages WHERE saga = $1 AND NOT taken ORDER BY number',
      [id],
    );
  }

  async get(id: string): Promise<SagaView> {
    const [row] = await this.#pool.query<DatabaseRow>(`SELECT ${columns} FROM heddle_sagas WHERE id = $1`, [
      id,
    ]);
    if (row === undefined) throw noSaga(id);
    return viewOf(row);
  }

  async audit(id: string): Promise<readonly SagaAudit[]> {
    return this.#pool.query<SagaAudit>(
      `SELECT number, input, said_by AS by, said_at AS at, taken FROM heddle_saga_messages
         WHERE saga = $1 ORDER BY number`,
      [id],
    );
  }

  /** The newest first. */
  async list(
    options: { readonly status?: SagaStatus; readonly name?: string; readonly limit?: number } = {},
  ): Promise<readonly SagaView[]> {
    const { status = null, name = null, limit = 100 } = options;
    const rows = await this.#pool.query<DatabaseRow>(
      `SELECT ${columns} FROM heddle_sagas
         WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR name = $2)
         ORDER BY begun_at DESC LIMIT $3`,
      [status, name, limit],
    );
    return rows.map(viewOf);
  }

  /** Wakes whoever has the saga or waits for it. Never rejects: they look by themselves besides. */
  async tell(ids: readonly string[]): Promise<void> {
    await this.#pool
      .query("SELECT pg_notify('heddle_sagas', id) FROM unnest($1::text[]) AS ids (id)", [ids])
      .catch(() => {});
  }
}

function viewOf(row: DatabaseRow): SagaView {
  const { correlation_id: correlationId, begun_at: begunAt, changed_at: changedAt, worker, ...same } = row;
  return { ...same, correlationId, begunAt, changedAt, worker: worker ?? undefined };
}

function noSaga(id: string): HeddleError {
  const message = `there is no saga ${id}`;
  return new HeddleError({ code: 'not_found', reason: 'NO_SAGA', message, sent: false });
}

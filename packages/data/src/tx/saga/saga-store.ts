import { HeddleError, type Runtime } from '@heddle/kernel';
import { migrate, prepared, type Sql, type SqlPool, sqlListener } from '@heddle/sql';
import type { SagaCount } from './metrics.ts';
import type {
  SagaAudit,
  SagaChange,
  SagaKeeper,
  SagaMessage,
  SagaNews,
  SagaRow,
  SagasWritten,
  SagaView,
} from './saga-keeper.ts';
import type { SagaInput, SagaState, SagaStatus } from './saga-state.ts';
import { migrations, wakeChannel } from './schema.ts';
import { writeSagas } from './write-sagas.ts';

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

const saidTo = prepared(
  'SELECT saga, number, input FROM heddle_saga_messages WHERE saga = ANY ($1::text[]) AND NOT taken ORDER BY number',
);

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

  listen(runtime: Runtime, onNews: (news: SagaNews | undefined) => void): () => Promise<void> {
    const listener = sqlListener(this.#url, wakeChannel, runtime);
    listener.on((payload) => onNews(payload === undefined ? undefined : newsOf(payload)));
    return () => listener.close();
  }

  async begin(changes: readonly SagaChange[], sql: Sql = this.#pool): Promise<ReadonlySet<string>> {
    return (await writeSagas(sql, this.#worker, changes, [])).begun;
  }

  write(begins: readonly SagaChange[], saves: readonly SagaChange[]): Promise<SagasWritten> {
    return writeSagas(this.#pool, this.#worker, begins, saves);
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

  /**
   * Those that another process takes at this moment are passed over. Its own are not free when its lease is over: they
   * are at work here until somebody else has taken them, and taking them again would only repeat their steps.
   */
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
           WHERE (status IN ('running', 'compensating') OR wanted OR worker IS NOT NULL)
             AND (worker IS NULL AND (wanted OR due_ms <= $4)
               OR worker <> $1 AND NOT EXISTS (SELECT 1 FROM heddle_saga_workers AS alive
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

  /** What was said to these sagas and not yet taken in, in order. */
  said(ids: readonly string[]): Promise<readonly SagaMessage[]> {
    return this.#pool.query<SagaMessage>(saidTo, [ids]);
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
      `SELECT saga, number, input, said_by AS by, said_at AS at, taken FROM heddle_saga_messages
         WHERE saga = $1 ORDER BY number`,
      [id],
    );
  }

  /** Reads of the index of statuses only what has not ended. */
  counts(): Promise<readonly SagaCount[]> {
    return this.#pool.query<SagaCount>(
      `SELECT name AS saga, status, count(*)::integer AS count FROM heddle_sagas
         WHERE status IN ('running', 'compensating', 'parked') GROUP BY name, status`,
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

  /**
   * Wakes whoever has the saga or waits for it. Never rejects: they look by themselves besides, and so the commit of a
   * wake-up need not wait for the disk.
   */
  async tell(news: readonly SagaNews[]): Promise<void> {
    await this.#pool
      .query(
        `SELECT set_config('synchronous_commit', 'off', true), pg_notify('${wakeChannel}', payload)
           FROM unnest($1::text[]) AS news (payload)`,
        [news.map(({ id, kind }) => `${kind} ${id}`)],
      )
      .catch(() => {});
  }
}

function newsOf(payload: string): SagaNews {
  const space = payload.indexOf(' ');
  return { kind: payload.slice(0, space) === 'ended' ? 'ended' : 'said', id: payload.slice(space + 1) };
}

function viewOf(row: DatabaseRow): SagaView {
  const { correlation_id: correlationId, begun_at: begunAt, changed_at: changedAt, worker, ...same } = row;
  return { ...same, correlationId, begunAt, changedAt, worker: worker ?? undefined };
}

function noSaga(id: string): HeddleError {
  const message = `there is no saga ${id}`;
  return new HeddleError({ code: 'not_found', reason: 'NO_SAGA', message, sent: false });
}

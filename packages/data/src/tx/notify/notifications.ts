import { HeddleError, type Runtime, type Service } from '@heddle/kernel';
import { type Migration, migrate, type SqlPool } from '@heddle/sql';
import { saga } from '../saga/definition.ts';
import type { SagaDefinition } from '../saga/step.ts';
import type { SagaEngine } from '../saga/saga-engine.ts';
import { sign, type SignedHeaders } from './signature.ts';

/** When a notification is tried, counted from the attempt before: at once, then after 1 min, 5 min, 30 min, 2 h, 12 h. */
export const standardScheduleMs: readonly number[] = [0, 60_000, 300_000, 1_800_000, 7_200_000, 43_200_000];

/** What is told, and to whom. */
export interface Notification {
  readonly url: string;
  readonly body: string;
}

/** One attempt, as it is sent. */
export interface NotifyRequest extends Notification {
  readonly headers: SignedHeaders;
}

/** What notifications are made from. */
export interface NotificationsOptions {
  readonly runtime: Runtime;
  /** Where attempts are recorded: the engine's database. */
  readonly pool: SqlPool;
  /** Sends one and resolves with the HTTP status; 200 to 299 is success. Over RPC: 200, or reject. */
  readonly deliver: Service<NotifyRequest, number>;
  /** Shared with the receiver, by its URL. */
  readonly secretFor: (url: string) => Uint8Array;
  /** Default `standardScheduleMs`. */
  readonly scheduleMs?: readonly number[];
  /** How long one attempt may take. Default 10000. */
  readonly timeoutMs?: number;
}

/** What came of one attempt. */
export interface NotifyAttempt {
  readonly number: number;
  readonly at: Date;
  readonly tookMs: number;
  /** Undefined: there was no answer; then `error` says why. */
  readonly status: number | undefined;
  readonly error: string | undefined;
}

/** What came of a notification: for its sender, and for a receiver that asks. */
export interface NotificationOutcome {
  readonly id: string;
  readonly status: 'trying' | 'delivered' | 'gave-up';
  readonly attempts: readonly NotifyAttempt[];
}

interface Row {
  readonly number: number;
  readonly at: Date;
  readonly took_ms: number;
  readonly status: number | null;
  readonly error: string | null;
}

const migrations: readonly Migration[] = [
  {
    id: '0001-attempts',
    sql: `
      CREATE TABLE heddle_notify_attempts (
        notification text COLLATE "C" NOT NULL,
        number integer NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        took_ms integer NOT NULL,
        status integer,
        error text,
        PRIMARY KEY (notification, number, at)
      );`,
  },
];

/**
 * Tells others what has happened, by a schedule, until they have heard it or the schedule is over: best effort, so the
 * receiver can ask, too. What is to be told is stored, and another process goes on when this one dies.
 */
export class Notifications {
  /** To be given to the engine. */
  readonly definition: SagaDefinition<Notification, unknown>;
  readonly #options: NotificationsOptions;

  constructor(options: NotificationsOptions) {
    this.#options = options;
    const { scheduleMs = standardScheduleMs, timeoutMs = 10_000 } = options;
    const [first = 0, ...delaysMs] = scheduleMs;
    const begun = saga<Notification>('notification');
    const waited = first === 0 ? begun : begun.wait('begin', { timeoutMs: first, goesOn: true });
    this.definition = waited
      .step('deliver', {
        attempts: scheduleMs.length,
        timeoutMs,
        delaysMs,
        run: ({ id, input, attempt, call }) =>
          this.#attempt(id, input, attempt, (request) => options.deliver(request, call)),
      })
      .build();
  }

  /** Makes the table of attempts. */
  async prepare(): Promise<void> {
    await migrate(this.#options.pool, 'heddle_notify', migrations);
  }

  /** Stores it; the sender does not wait for its delivery. The same id is one notification. Its id. */
  send(engine: SagaEngine, notification: Notification, id?: string): Promise<string> {
    return engine.begin(this.definition, notification, id === undefined ? {} : { id });
  }

  /** What has come of it so far. */
  async outcome(engine: SagaEngine, id: string): Promise<NotificationOutcome> {
    const { status } = await engine.store.get(id);
    const rows = await this.#options.pool.query<Row>(
      'SELECT number, at, took_ms, status, error FROM heddle_notify_attempts WHERE notification = $1 ORDER BY at',
      [id],
    );
    const attempts = rows.map(({ number, at, took_ms: tookMs, status: answer, error }) => ({
      number,
      at,
      tookMs,
      status: answer ?? undefined,
      error: error ?? undefined,
    }));
    if (status === 'completed') return { id, status: 'delivered', attempts };
    return { id, status: status === 'running' ? 'trying' : 'gave-up', attempts };
  }

  async #attempt(
    id: string,
    notification: Notification,
    number: number,
    deliver: (request: NotifyRequest) => Promise<number>,
  ): Promise<number> {
    const { runtime, secretFor } = this.#options;
    const startedMs = runtime.clock.nowMs();
    const headers = sign(secretFor(notification.url), id, notification.body, runtime.clock.wallMs());
    const record = (status: number | null, error: string | null): Promise<unknown> =>
      this.#options.pool.execute(
        `INSERT INTO heddle_notify_attempts (notification, number, took_ms, status, error) VALUES ($1, $2, $3, $4, $5)`,
        [id, number, Math.round(runtime.clock.nowMs() - startedMs), status, error],
      );
    let status: number;
    try {
      status = await deliver({ ...notification, headers });
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      await record(null, error.message);
      // Whatever it was: the schedule says how often.
      throw error.with({ code: 'unavailable' });
    }
    await record(status, null);
    if (status >= 200 && status < 300) return status;
    const message = `${notification.url} answered ${status}`;
    throw new HeddleError({ code: 'unavailable', reason: 'NOT_ACCEPTED', message });
  }
}

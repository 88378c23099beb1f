import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import pg from 'pg';

/** Hears of `NOTIFY`s. They are wake-ups and nothing more: one can be missed, so whoever listens also looks by itself. */
export interface SqlListener {
  /** Calls `listener` with each payload, and with undefined whenever some may have been missed. Returns what ends that. */
  on(listener: (payload: string | undefined) => void): () => void;
  /** Ends the connection. */
  close(): Promise<void>;
}

const firstWaitMs = 100;
const longestWaitMs = 5000;

/**
 * Listens on one channel, with a connection of its own that is made again for ever when it breaks (back-off capped and
 * jittered). It starts by itself.
 */
export function sqlListener(url: string, channel: string, runtime: Runtime): SqlListener {
  return new PgListener(url, channel, runtime);
}

class PgListener implements SqlListener {
  readonly #url: string;
  readonly #channel: string;
  readonly #runtime: Runtime;
  readonly #listeners = new Set<(payload: string | undefined) => void>();
  #client: pg.Client | undefined;
  #retry: Timer | undefined;
  #failures = 0;
  #closed = false;

  constructor(url: string, channel: string, runtime: Runtime) {
    this.#url = url;
    this.#channel = channel;
    this.#runtime = runtime;
    void this.#connect();
  }

  on(listener: (payload: string | undefined) => void): () => void {
    const own = (payload: string | undefined): void => listener(payload);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#client?.end().catch(() => {});
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'heddle-listener',
      keepAlive: true,
    });
    this.#client = client;
    let broken = false;
    const lost = (): void => {
      if (broken || this.#closed) return;
      broken = true;
      this.#again();
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', ({ payload }) => this.#tell(payload ?? ''));
    try {
      await client.connect();
      await client.query(`LISTEN ${pg.escapeIdentifier(this.#channel)}`);
      this.#failures = 0;
      this.#tell(undefined);
    } catch (thrown) {
      const error = HeddleError.from(thrown).message;
      this.#runtime.log('debug', 'the database cannot be listened to', { channel: this.#channel, error });
      void client.end().catch(() => {});
      lost();
    }
  }

  #again(): void {
    this.#failures += 1;
    const mostMs = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(this.#failures - 1, 10));
    this.#retry = this.#runtime.timers.after(
      mostMs * this.#runtime.random.float(),
      () => void this.#connect(),
    );
  }

  #tell(payload: string | undefined): void {
    for (const listener of this.#listeners) listener(payload);
  }
}

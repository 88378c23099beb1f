import { type Call, HeddleError, type Part, type Runtime, type Timer } from '@heddle/kernel';
import { migrate, type SqlListener, type SqlPool, sqlListener } from '@heddle/sql';
import { type Place, placeText, readPlace } from '../../place/place.ts';
import type { ConfigStore } from '../../store/config-store.ts';
import { toldWakes } from '../../store/told-wakes.ts';
import { versionConflict } from '../../store/version-conflict.ts';
import { type ConfigVersion, readVersion, versionText } from '../../version/version.ts';
import { migrations, wakeChannel } from './schema.ts';

/** Where the store is. */
export interface PostgresStoreOptions {
  readonly runtime: Runtime;
  readonly pool: SqlPool;
  /** Of the same database, for the connection that listens. */
  readonly url: string;
  /** How often a follower looks without being woken, since a notification can be missed. Default 5000. */
  readonly lookMs?: number;
}

interface Row {
  readonly content: string;
}

/** The config centre in PostgreSQL: the embedded one by default. `start` makes its table. */
export class PostgresStore implements ConfigStore, Part {
  readonly name = 'postgres';
  readonly #options: PostgresStoreOptions;
  #listener: SqlListener | undefined;

  constructor(options: PostgresStoreOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { pool, url, runtime } = this.#options;
    await migrate(pool, 'config', migrations);
    this.#listener = sqlListener(url, wakeChannel, runtime);
  }

  async stop(): Promise<void> {
    await this.#listener?.close();
  }

  close(): Promise<void> {
    return this.stop();
  }

  async head(place: Place): Promise<ConfigVersion | undefined> {
    const text = placeText(place);
    const [row] = await this.#options.pool.query<Row>(
      'SELECT content::text AS content FROM heddle_config_versions WHERE place = $1 ORDER BY version DESC LIMIT 1',
      [text],
    );
    return row && readVersion(row.content, `PostgreSQL, ${text}`);
  }

  async read(place: Place, after: number, limit: number): Promise<readonly ConfigVersion[]> {
    const text = placeText(place);
    const rows = await this.#options.pool.query<Row>(
      `SELECT content::text AS content FROM heddle_config_versions WHERE place = $1 AND version > $2
         ORDER BY version LIMIT $3`,
      [text, after, limit],
    );
    return rows.map(({ content }) => readVersion(content, `PostgreSQL, ${text}`));
  }

  async append(version: ConfigVersion): Promise<void> {
    // Of two at once the second waits for the first at the primary key, and then adds nothing.
    const rows = await this.#options.pool.query(
      `WITH added AS (
         INSERT INTO heddle_config_versions (place, version, content)
         SELECT $1, $2::integer, $3::json
          WHERE $2 = 1 OR EXISTS (SELECT 1 FROM heddle_config_versions WHERE place = $1 AND version = $2 - 1)
         ON CONFLICT DO NOTHING RETURNING place
       ) SELECT pg_notify('${wakeChannel}', place) FROM added`,
      [placeText(version.place), version.version, versionText(version)],
    );
    if (rows.length === 0) throw versionConflict(version);
  }

  async places(): Promise<readonly Place[]> {
    const rows = await this.#options.pool.query<{ place: string }>(
      'SELECT DISTINCT place FROM heddle_config_versions ORDER BY place',
    );
    return rows.map(({ place }) => readPlace(place));
  }

  wakes(place: Place, call: Call): AsyncIterable<void> {
    const { runtime, lookMs = 5000 } = this.#options;
    const text = placeText(place);
    return toldWakes(call, ({ wake, fail }) => {
      const listener = this.#listener;
      if (listener === undefined) {
        fail(notStarted());
        return () => {};
      }
      let timer: Timer;
      const look = (): void => {
        timer = runtime.timers.after(lookMs, look);
        wake();
      };
      timer = runtime.timers.after(lookMs, look);
      const stop = listener.on((payload) => {
        if (payload === undefined || payload === text) wake();
      });
      return () => {
        timer.cancel();
        stop();
      };
    });
  }
}

function notStarted(): HeddleError {
  const message = 'the store cannot be followed before start() has resolved';
  return new HeddleError({ code: 'failed_precondition', reason: 'NOT_STARTED', message, sent: false });
}

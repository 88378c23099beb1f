import type { Runtime } from '@heddle/kernel';
import type { Engine, EnginePromises } from '../../engine.ts';
import { leasedEngine } from '../../log/leased-engine.ts';
import type { LeaseTimes } from '../../log/leased-membership.ts';
import { maxPayloadBytes } from '../../message/complete-message.ts';
import { connected, RedisConnection, type RedisPlace } from './redis-connection.ts';
import { RedisLog } from './redis-log.ts';
import { RedisWakes } from './redis-wakes.ts';

/** What the engine is made from. */
export interface RedisEngineOptions extends LeaseTimes {
  readonly runtime: Runtime;
  /** Where the server is, and who we are there. How connections are kept is the engine's own affair. */
  readonly redis: RedisPlace;
  /** What all keys begin with. Default `heddle`. */
  readonly prefix?: string;
}

/**
 * Topics in Redis Streams. An acknowledged message survives a power cut if the server says that it keeps an append-only
 * file with `appendfsync always`; with anything less, `promises.durable` is `none`: Redis may answer before it has written.
 * A replica that takes over may lack what was acknowledged last. Rejects with `unavailable` if the server is not there.
 */
export async function redisEngine(options: RedisEngineOptions): Promise<Engine> {
  const { runtime, redis, prefix = 'heddle', pollMs = 1000 } = options;
  const connection = new RedisConnection(redis, prefix);
  try {
    await connected(connection.client);
    const promises: EnginePromises = {
      durable: (await syncsAlways(connection)) ? 'power cut' : 'none',
      delayed: true,
      replay: true,
      deduplicates: false,
      keepsUnread: true,
      maxPayloadBytes,
    };
    const wakes = new RedisWakes(runtime, connection, redis, pollMs);
    const log = new RedisLog(connection, wakes, promises, async () => {
      wakes.close();
      connection.close();
    });
    return leasedEngine(runtime, log, options);
  } catch (thrown) {
    connection.close();
    throw thrown;
  }
}

/** False also where the server does not let us see its settings. */
async function syncsAlways(connection: RedisConnection): Promise<boolean> {
  try {
    const told = (await connection.do((client) => client.config('GET', 'append*'))) as readonly string[];
    const settings = new Map<string, string>();
    for (let at = 0; at + 1 < told.length; at += 2) settings.set(told[at] ?? '', told[at + 1] ?? '');
    return settings.get('appendonly') === 'yes' && settings.get('appendfsync') === 'always';
  } catch {
    return false;
  }
}

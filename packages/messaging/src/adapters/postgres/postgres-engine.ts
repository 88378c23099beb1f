import type { Runtime } from '@heddle/kernel';
import { migrate, type SqlPool, sqlListener } from '@heddle/sql';
import type { Engine } from '../../engine.ts';
import { leasedEngine } from '../../log/leased-engine.ts';
import type { LeaseTimes } from '../../log/leased-membership.ts';
import { PostgresLog } from './postgres-log.ts';
import { migrations, wakeChannel } from './schema.ts';
import { Upkeep } from './upkeep.ts';
import { Wakes } from './wakes.ts';

/** What the engine is made from. */
export interface PostgresEngineOptions extends LeaseTimes {
  readonly runtime: Runtime;
  /** Where the tables are; they are made if they are missing. The engine does not stop it. */
  readonly pool: SqlPool;
  /** The same database: for a connection of its own that wake-ups come by. */
  readonly url: string;
}

/**
 * Topics in a PostgreSQL, the embedded one or any other. An acknowledged message is as durable as the server's commits;
 * its place in its partition is the order of the commits. Consumers are woken by `NOTIFY` and look by themselves every
 * `pollMs` besides.
 */
export async function postgresEngine(options: PostgresEngineOptions): Promise<Engine> {
  const { runtime, pool, url, pollMs = 1000 } = options;
  await migrate(pool, 'heddle_messaging', migrations);
  const listener = sqlListener(url, wakeChannel, runtime);
  const wakes = new Wakes(pool, listener, runtime.random.uuid());
  const upkeep = new Upkeep(runtime, pool, pollMs, (topic) => wakes.tell(`m ${topic}`));
  upkeep.start();
  const log = new PostgresLog(
    pool,
    wakes,
    () => runtime.clock.wallMs(),
    async () => {
      await upkeep.stop();
      await wakes.settled();
      await listener.close();
    },
  );
  return leasedEngine(runtime, log, options);
}

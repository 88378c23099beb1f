import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Runtime, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { embeddedPostgres, type SqlPool, sqlPool } from '@heddle/sql';
import { EventStore, type EventStoreOptions } from '../../event-store.ts';

/** The real time and chance; what is logged is dropped. */
export const runtime: Runtime = { ...nodeRuntime({ name: 'test' }), log: () => {} };

/** An event store in a database of its own. */
export interface StoreStage {
  readonly store: EventStore;
  readonly pool: SqlPool;
  /** Another store on the same database, as another process has. */
  readonly open: () => Promise<EventStore>;
}

/** A PostgreSQL for one test file. */
export interface DatabaseServer {
  withStore(
    run: (stage: StoreStage) => Promise<void>,
    options?: Partial<Pick<EventStoreOptions, 'upcasts' | 'cipher'>>,
  ): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it, in a folder of its own. */
export async function databaseServer(): Promise<DatabaseServer> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-events-'));
  const server = embeddedPostgres({ runtime, folder });
  await server.start();
  let databases = 0;
  return {
    async withStore(run, options = {}) {
      databases += 1;
      const url = await server.createDatabase(`d${databases}`);
      const opened: { readonly store: EventStore; readonly pool: SqlPool }[] = [];
      const open = async (): Promise<EventStore> => {
        const pool = sqlPool(url, { runtime, maxConnections: 8 });
        const store = new EventStore({ runtime, pool, url, ...options });
        opened.push({ store, pool });
        await store.start();
        return store;
      };
      try {
        const store = await open();
        await run({ store, pool: store.pool, open });
      } finally {
        for (const { store, pool } of opened) {
          await store.stop();
          await pool.stop();
        }
      }
    },
    async stop() {
      await server.stop();
      await rm(await realpath(join(folder, 'server')), { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until `condition` holds. Rejects after 15 s with what was waited for. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const startedMs = runtime.clock.nowMs();
  while (!(await condition())) {
    if (runtime.clock.nowMs() - startedMs > 15_000) throw new Error(`not within 15 s: ${what}`);
    await sleep(runtime.timers, 10);
  }
}

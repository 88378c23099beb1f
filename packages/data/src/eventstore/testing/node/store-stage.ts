import { type SqlPool, sqlPool } from '@heddle/sql';
import { databases, runtime } from '../../../testing/node/databases.ts';
import { EventStore, type EventStoreOptions } from '../../event-store.ts';

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
  const server = await databases();
  return {
    async withStore(run, options = {}) {
      const { url, close, pool: first } = await server.create();
      const opened: { readonly store: EventStore; readonly pool: SqlPool }[] = [];
      const openOn = async (pool: SqlPool): Promise<EventStore> => {
        const store = new EventStore({ runtime, pool, url, ...options });
        opened.push({ store, pool });
        await store.start();
        return store;
      };
      try {
        const store = await openOn(first);
        await run({ store, pool: first, open: () => openOn(sqlPool(url, { runtime, maxConnections: 8 })) });
      } finally {
        for (const { store, pool } of opened) {
          await store.stop();
          await pool.stop();
        }
        await close();
      }
    },
    stop: () => server.stop(),
  };
}

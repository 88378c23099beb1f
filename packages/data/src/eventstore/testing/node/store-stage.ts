import { after, before } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { type SqlPool, sqlPool } from '@heddle/sql';
import { databases, runtime } from '../../../testing/node/databases.ts';
import { EventStore, type EventStoreOptions } from '../../event-store.ts';
import type { NewEvent } from '../../events/event.ts';

/** An event store in a database of its own. */
export interface StoreStage {
  readonly store: EventStore;
  readonly pool: SqlPool;
  /** Another store on the same database, as another process has. */
  readonly open: () => Promise<EventStore>;
}

type StoreOptions = Partial<Pick<EventStoreOptions, 'upcasts' | 'cipher'>>;

interface DatabaseServer {
  withStore(run: (stage: StoreStage) => Promise<void>, options?: StoreOptions): Promise<void>;
  stop(): Promise<void>;
}

/** A PostgreSQL for one test file. Makes bodies of tests, each with a store in a database of its own. */
export function stores(): (
  run: (stage: StoreStage) => Promise<void>,
  options?: StoreOptions,
) => () => Promise<void> {
  let server: DatabaseServer | undefined;
  before(async () => {
    server = await databaseServer();
  });
  after(() => server?.stop());
  return (run, options = {}) =>
    async () => {
      await server?.withStore(run, options);
    };
}

/** An event. */
export function happened(type: string, data: unknown = {}, id?: string): NewEvent {
  return id === undefined ? { type, data } : { type, data, id };
}

/** The reason that it rejects with. */
export async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    return HeddleError.from(thrown).reason;
  }
  return 'no error';
}

async function databaseServer(): Promise<DatabaseServer> {
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

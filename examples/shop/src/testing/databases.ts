import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, embeddedPostgres, type SqlPool, sqlPool } from '@heddle/sql';
import type { Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';

/** A PostgreSQL for one test file, in a folder of its own. */
export interface TestDatabases {
  readonly server: EmbeddedPostgres;
  /** A pool on a database of that name, which is made if need be. */
  pool(name: string): Promise<SqlPool>;
  /** Stops everything and removes the folder. */
  close(): Promise<void>;
}

/** Silent, since tests say what matters themselves. */
export const testRuntime: Runtime = { ...nodeRuntime({ name: 'test' }), log: () => {} };

/** Starts one. Takes about a second. */
export async function testDatabases(): Promise<TestDatabases> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-shop-'));
  const server = embeddedPostgres({ runtime: testRuntime, folder });
  await server.start();
  const pools: SqlPool[] = [];
  return {
    server,
    pool: async (name) => {
      const pool = sqlPool(await server.createDatabase(name), {
        runtime: testRuntime,
        name,
        maxConnections: 8,
      });
      pools.push(pool);
      return pool;
    },
    close: async () => {
      await Promise.all(pools.map((pool) => pool.stop()));
      await server.stop();
      await rm(await realpath(join(folder, 'server')), { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { until as untilSo } from '@heddle/kernel/testing';
import { embeddedPostgres, type EmbeddedPostgresOptions, type SqlPool, sqlPool } from '@heddle/sql';

/** The real time and chance; what is logged is dropped. */
export const runtime: Runtime = { ...nodeRuntime({ name: 'test' }), log: () => {} };

/** A database of its own, with a pool. */
export interface Database {
  readonly url: string;
  readonly pool: SqlPool;
  /** Ends the pool. */
  readonly close: () => Promise<void>;
}

/** A PostgreSQL for one test file. */
export interface Databases {
  create(): Promise<Database>;
  /** Statements as the server's superuser. */
  admin(text: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it, in a folder of its own. */
export async function databases(more: Partial<EmbeddedPostgresOptions> = {}): Promise<Databases> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-data-'));
  const server = embeddedPostgres({ runtime, folder, ...more });
  await server.start();
  let count = 0;
  return {
    async create() {
      count += 1;
      const url = await server.createDatabase(`d${count}`);
      const pool = sqlPool(url, { runtime, maxConnections: 8 });
      return { url, pool, close: () => pool.stop() };
    },
    async admin(text) {
      const pool = sqlPool(server.url(), { runtime, maxConnections: 1 });
      try {
        await pool.execute(text);
      } finally {
        await pool.stop();
      }
    },
    async stop() {
      await server.stop();
      await rm(await realpath(join(folder, 'server')), { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until `condition` holds. Rejects after 60 s with what was waited for. */
export function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  return untilSo(runtime, what, 60_000, condition);
}

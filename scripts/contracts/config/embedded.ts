// The default: the config centre in the embedded PostgreSQL.
import { PostgresStore } from '@heddle/config';
import { sqlPool } from '@heddle/sql';
import { PostgresServer } from '../messaging/postgres.ts';
import type { Contract } from '../result.ts';
import { configContract } from './suite.ts';
import { quietRuntime, stageOf } from './stage.ts';

let server: PostgresServer | undefined;

/** On a database for each case. */
export const embeddedConfig: Contract = configContract({
  backend: 'embedded',
  prepare: async () => {
    server = new PostgresServer();
    return { version: `PostgreSQL ${await server.start()}` };
  },
  stage: async () => {
    if (server === undefined) throw new Error('not prepared');
    const { faults } = server;
    const direct = await server.database();
    const { hostname: host, port } = new URL(direct);
    return stageOf({
      target: () => ({ host, port: Number(port) }),
      open: async (address) => {
        const url = new URL(direct);
        url.port = String(address?.port ?? port);
        const pool = sqlPool(url.href, { runtime: quietRuntime, maxConnections: 4 });
        const store = new PostgresStore({ runtime: quietRuntime, pool, url: url.href, lookMs: 1000 });
        await store.start();
        const close = store.close.bind(store);
        return Object.assign(store, {
          close: async () => {
            await close();
            await pool.stop();
          },
        });
      },
      restart: async () => {
        await faults.kill?.();
        await faults.restart?.();
      },
      contents: async () => {
        const pool = sqlPool(direct, { runtime: quietRuntime, maxConnections: 1 });
        const rows = await pool.query<{ content: string }>(
          'SELECT content::text AS content FROM heddle_config_versions',
        );
        await pool.stop();
        return rows.map(({ content }) => content).join('\n');
      },
    });
  },
  end: async () => {
    await server?.stop();
    server = undefined;
  },
});

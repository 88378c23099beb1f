// Queues of others, as their own documentation uses them.
import { DBOSClient } from '@dbos-inc/dbos-sdk';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { PgBoss } from 'pg-boss';
import type { Place } from '../../scripts/engines/engine.ts';
import type { Databases } from './databases.ts';
import { order } from './raw-sql.ts';
import { type Contender, medianLatency, perSecond } from './rounds.ts';

const data = JSON.parse(order) as Record<string, unknown>;

async function boss(databases: Databases): Promise<PgBoss> {
  const started = new PgBoss({ connectionString: await databases.database(), supervise: false });
  started.on('error', () => {});
  await started.start();
  await started.createQueue('orders');
  return started;
}

/** pg-boss, `size` at a time. */
export function pgBossPublish(databases: Databases, size: number): Contender {
  return {
    name: 'pg-boss',
    open: async () => {
      const started = await boss(databases);
      const publish = (): Promise<unknown> =>
        size === 1
          ? started.send('orders', data)
          : started.insert(
              'orders',
              Array.from({ length: size }, () => ({ data })),
            );
      return { turn: (ms) => perSecond(ms, size, publish), close: () => started.stop({ graceful: false }) };
    },
  };
}

/** pg-boss: fetch a hundred, complete a hundred. */
export function pgBossConsume(databases: Databases): Contender {
  return {
    name: 'pg-boss',
    open: async () => {
      const started = await boss(databases);
      const turn = async (ms: number): Promise<number> => {
        for (let at = 0; at < 10; at += 1)
          await started.insert(
            'orders',
            Array.from({ length: 500 }, () => ({ data })),
          );
        return perSecond(ms, 100, async () => {
          const jobs = await started.fetch('orders', { batchSize: 100 });
          await started.complete(
            'orders',
            jobs.map(({ id }) => id),
          );
        });
      };
      return { turn, close: () => started.stop({ graceful: false }) };
    },
  };
}

/** Ready-made, since BullMQ looks for the client library from its own folder and waits for ever where that is not beside it. */
function client(redis: Place): Redis {
  return new Redis({ ...redis, maxRetriesPerRequest: null });
}

async function closed(connection: Redis, queue: Queue): Promise<void> {
  await queue.close();
  connection.disconnect();
}

/** BullMQ on a Redis that syncs every write. */
export function bullMqPublish(redis: Place, size: number): Contender {
  return {
    name: 'bullmq',
    open: async () => {
      const connection = client(redis);
      const queue = new Queue(`publish-${size}`, { connection });
      const publish = (): Promise<unknown> =>
        size === 1
          ? queue.add('order', data)
          : queue.addBulk(Array.from({ length: size }, () => ({ name: 'order', data })));
      return { turn: (ms) => perSecond(ms, size, publish), close: () => closed(connection, queue) };
    },
  };
}

const perTurn = 2000;

/** BullMQ's worker, a hundred jobs side by side. */
export function bullMqConsume(redis: Place): Contender {
  return {
    name: 'bullmq',
    open: async () => {
      const connection = client(redis);
      const queue = new Queue('consume', { connection });
      const turn = async (): Promise<number> => {
        for (let at = 0; at < perTurn; at += 500)
          await queue.addBulk(Array.from({ length: 500 }, () => ({ name: 'order', data })));
        let done = 0;
        const startedAt = performance.now();
        const worker = new Worker('consume', async () => {}, { connection, concurrency: 100 });
        await new Promise<void>((resolve) => {
          worker.on('completed', () => {
            done += 1;
            if (done >= perTurn) resolve();
          });
        });
        const tookMs = performance.now() - startedAt;
        await worker.close();
        return (perTurn * 1000) / tookMs;
      };
      return { turn, close: () => closed(connection, queue) };
    },
  };
}

/** BullMQ, from `add` to the worker. */
export function bullMqLatency(redis: Place): Contender {
  return {
    name: 'bullmq',
    open: async () => {
      let arrived = (): void => {};
      const connection = client(redis);
      const queue = new Queue('latency', { connection });
      const worker = new Worker('latency', async () => arrived(), { connection });
      await worker.waitUntilReady();
      const once = async (): Promise<void> => {
        const here = new Promise<void>((resolve) => (arrived = resolve));
        await Promise.all([here, queue.add('order', data)]);
      };
      return {
        turn: (ms) => medianLatency(ms, once),
        close: async () => {
          await worker.close();
          await closed(connection, queue);
        },
      };
    },
  };
}

/** DBOS: puts a workflow into a queue. */
export function dbosPublish(databases: Databases): Contender {
  return {
    name: 'dbos',
    open: async () => {
      const systemDatabaseUrl = await databases.database();
      const { DBOS } = await import('@dbos-inc/dbos-sdk');
      DBOS.setConfig({ name: 'bench', systemDatabaseUrl, logLevel: 'error', runAdminServer: false });
      await DBOS.launch();
      await DBOS.shutdown();
      const client = await DBOSClient.create({ systemDatabaseUrl });
      const publish = (): Promise<unknown> =>
        client.enqueue({ queueName: 'orders', workflowName: 'order' }, data);
      return { turn: (ms) => perSecond(ms, 1, publish), close: () => client.destroy() };
    },
  };
}

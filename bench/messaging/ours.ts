// What this project does, on any of its engines.
import { broker, type Broker, type Engine, inbox, type MessageInit, SqlInbox } from '@heddle/messaging';
import { postgresEngine } from '@heddle/messaging/postgres';
import { sqlPool } from '@heddle/sql';
import { type Databases, runtime } from './databases.ts';
import { order } from './raw-sql.ts';
import { type Contender, medianLatency, type OpenContender, perSecond } from './rounds.ts';

/** A broker, and what ends it. */
export interface OpenBroker {
  readonly bus: Broker;
  readonly url: string;
  readonly close: () => Promise<void>;
}

const payload = Buffer.from(order);
let messages = 0;

/** One message; keys differ, so that all partitions get some. */
export function message(): MessageInit {
  messages += 1;
  return { topic: 'orders', key: `k${messages % 97}`, payload };
}

/** On an engine of one's own choice. */
export async function brokerOn(engine: Engine, partitions = 4): Promise<Broker> {
  const bus = broker(engine, { runtime, source: 'bench' });
  await bus.createTopic('orders', { partitions });
  return bus;
}

/** On PostgreSQL, in a database of its own. */
export async function onPostgres(databases: Databases): Promise<OpenBroker> {
  const url = await databases.database();
  const pool = sqlPool(url, { runtime });
  const bus = await brokerOn(await postgresEngine({ runtime, pool, url }));
  const close = async (): Promise<void> => {
    await bus.close();
    await pool.stop();
  };
  return { bus, url, close };
}

/** Publishes `size` at a time. */
export function publishing(
  name: string,
  size: number,
  open: () => Promise<Pick<OpenBroker, 'bus' | 'close'>>,
): Contender {
  return {
    name,
    open: async () => {
      const { bus, close } = await open();
      const publish = (): Promise<unknown> =>
        size === 1 ? bus.publish(message()) : bus.publishBatch(Array.from({ length: size }, message));
      return { turn: (ms) => perSecond(ms, size, publish), close };
    },
  };
}

const perTurn = 4000;

/** Consumes a hundred at a time, with inbox and effect in one transaction. */
export async function consuming(databases: Databases): Promise<OpenContender> {
  const { bus, url, close } = await onPostgres(databases);
  const pool = sqlPool(url, { runtime });
  await pool.execute('CREATE TABLE effects (id text)');
  const records = new SqlInbox({ runtime, pool });
  await records.start();
  let handled = 0;
  let waiting = (): void => {};
  const handler = inbox(records, 'bench', async () => {
    handled += 1;
  });
  return {
    turn: async () => {
      for (let sent = 0; sent < perTurn; sent += 500)
        await bus.publishBatch(Array.from({ length: 500 }, message));
      handled = 0;
      const all = new Promise<void>((resolve) => (waiting = resolve));
      let startedAt = 0;
      const subscription = await bus.subscribeBatch(
        'orders',
        { group: 'bench' },
        async (deliveries, call) => {
          if (startedAt === 0) startedAt = performance.now();
          await handler(deliveries, call);
          if (handled >= perTurn) waiting();
        },
      );
      await all;
      const tookMs = performance.now() - startedAt;
      await subscription.close();
      return (perTurn * 1000) / tookMs;
    },
    close: async () => {
      await records.stop();
      await pool.stop();
      await close();
    },
  };
}

/** Milliseconds from before a publish to the handler, half of them less. */
export async function latency({ bus, close }: Pick<OpenBroker, 'bus' | 'close'>): Promise<OpenContender> {
  let arrived = (): void => {};
  const subscription = await bus.subscribe('orders', { group: 'bench', from: 'latest' }, async () =>
    arrived(),
  );
  return {
    turn: (ms) =>
      medianLatency(ms, async () => {
        const here = new Promise<void>((resolve) => (arrived = resolve));
        await Promise.all([here, bus.publish(message())]);
      }),
    close: async () => {
      await subscription.close();
      await close();
    },
  };
}

// `npm run proof:events -- [--events N] [--json]`: ten million events, appended, read by a subscription, counted.
import { parseArgs } from 'node:util';
import { EventStore, EventSubscription, type NewEvent } from '@heddle/data/eventstore';
import { sleep } from '@heddle/kernel';
import { sqlPool } from '@heddle/sql';
import { PostgresServer } from '../../contracts/messaging/postgres.ts';
import { quietRuntime } from '../../contracts/messaging/stage.ts';

const { values } = parseArgs({
  options: { events: { type: 'string', default: '10000000' }, json: { type: 'boolean', default: false } },
});
const wanted = Number(values.events);
if (!Number.isInteger(wanted) || wanted < 1000 || wanted % 1000 !== 0) {
  process.stderr.write('usage: npm run proof:events -- [--events N] [--json]; N in thousands\n');
  process.exit(2);
}

const perAppend = 1000;
const writers = 4;

function say(text: string): void {
  if (!values.json) process.stdout.write(`${text}\n`);
}

/** Appends to a stream per thousand events; how many a second. */
async function fill(store: EventStore): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < wanted) {
      const from = next;
      next += perAppend;
      const events = Array.from(
        { length: perAppend },
        (_, at): NewEvent => ({ type: 'counted', data: { n: from + at } }),
      );
      await store.append(`s-${Math.floor(from / 1000)}`, events);
      if (from % 500_000 === 0) say(`${from} appended`);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  return (wanted * 1000) / (performance.now() - startedAt);
}

/** Reads all of it by a subscription; every position once, in order, none missing. */
async function count(store: EventStore): Promise<number> {
  const startedAt = performance.now();
  let seen = 0;
  let sum = 0;
  let wrong = '';
  const subscription = new EventSubscription(store, { name: 'counter', batch: 2000 }, async (events) => {
    for (const { position, data } of events) {
      if (position !== seen + 1) wrong ||= `position ${position} after ${seen}`;
      seen = position;
      sum += (data as { n: number }).n;
    }
  });
  await subscription.start();
  while (seen < wanted && wrong === '') await sleep(quietRuntime.timers, 50);
  await subscription.stop();
  if (wrong !== '') throw new Error(wrong);
  if (sum !== (wanted * (wanted - 1)) / 2)
    throw new Error(`the sum is ${sum}: something came twice or not at all`);
  return (wanted * 1000) / (performance.now() - startedAt);
}

const server = new PostgresServer();
try {
  const version = await server.start();
  const url = await server.database();
  const pool = sqlPool(url, { runtime: quietRuntime, maxConnections: 8, statementTimeoutMs: 120_000 });
  const store = new EventStore({ runtime: quietRuntime, pool, url });
  await store.start();
  const appendedPerSecond = Math.round(await fill(store));
  say(`${wanted} events appended, ${appendedPerSecond} a second`);
  const readPerSecond = Math.round(await count(store));
  const [size] = await pool.query<{ mib: number }>(
    'SELECT pg_database_size(current_database()) / 1048576 AS mib',
  );
  await store.stop();
  await pool.stop();
  const result = { events: wanted, appendedPerSecond, readPerSecond, databaseMib: size?.mib, version };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  await server.stop();
}

// `npm run bench -- eventstore`: appends and reads beside REF and Emmett.
import { EventStore, type NewEvent } from '@heddle/data/eventstore';
import { sqlPool } from '@heddle/sql';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';
import { Databases, runtime } from '../messaging/databases.ts';
import { order, rawInsert, rawSelect } from '../messaging/raw-sql.ts';
import { compete, type Contender, type Goals, type Pace, perSecond, resultsOf } from '../messaging/rounds.ts';
import type { BenchOptions, BenchOutcome, BenchResult, SkippedPeer } from '../report.ts';

const full: Pace = { rounds: 9, turnMs: 700 };
const quick: Pace = { rounds: 1, turnMs: 150 };
const ours = 'heddle';
const data = JSON.parse(order) as Record<string, unknown>;
const rowsToRead = 20_000;

/** What a store does in a turn. */
interface Work {
  /** So many events to a new stream. */
  append(count: number): Promise<unknown>;
  /** The next 500 events. */
  page(): Promise<unknown>;
}

interface Store extends Work {
  close(): Promise<void>;
}

async function openOurs(databases: Databases): Promise<Store> {
  const url = await databases.database();
  const pool = sqlPool(url, { runtime });
  const store = new EventStore({ runtime, pool, url });
  await store.start();
  let streams = 0;
  let after = 0;
  const events = (count: number): NewEvent[] =>
    Array.from({ length: count }, () => ({ type: 'order.placed', data }));
  return {
    append: (count) => store.append(`order-${++streams}`, events(count), 'noStream'),
    page: async () => {
      const found = await store.readAll({ after, limit: 500 });
      after = found.length < 500 ? 0 : (found.at(-1)?.position ?? 0);
    },
    close: async () => {
      await store.stop();
      await pool.stop();
    },
  };
}

async function openEmmett(databases: Databases): Promise<Store> {
  // A pool of our own: the one that it makes is not closed when `close` resolves, and dies loudly with the server.
  const connectionString = await databases.database();
  const pool = new pg.Pool({ connectionString });
  // Connections that it has lost by then are nobody's concern when the server stops.
  pool.on('error', () => {});
  const store = getPostgreSQLEventStore(connectionString, { connectionOptions: { pool } });
  await store.schema.migrate();
  let streams = 0;
  const events = (count: number): { type: string; data: Record<string, unknown> }[] =>
    Array.from({ length: count }, () => ({ type: 'order.placed', data }));
  return {
    append: (count) => store.appendToStream(`order-${++streams}`, events(count)),
    // It reads streams, not the whole store: the last one, of 500 events.
    page: () => store.readStream(`order-${streams}`, { maxCount: 500n }),
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
}

type Open = (databases: Databases) => Promise<Store>;

function contender(
  name: string,
  databases: Databases,
  open: Open,
  turn: (store: Work, ms: number) => Promise<number>,
  prepare: (store: Work) => Promise<unknown> = async () => {},
): Contender {
  return {
    name,
    open: async () => {
      const store = await open(databases);
      await prepare(store);
      return { turn: (ms) => turn(store, ms), close: () => store.close() };
    },
  };
}

/** Sixteen callers, each waiting for its own append before its next. */
async function sixteen(store: Work, ms: number): Promise<number> {
  const rates = await Promise.all(Array.from({ length: 16 }, () => perSecond(ms, 1, () => store.append(1))));
  return rates.reduce((sum, rate) => sum + rate, 0);
}

interface Measurement {
  readonly name: string;
  readonly turn: (store: Work, ms: number) => Promise<number>;
  readonly prepare?: (store: Work) => Promise<unknown>;
  readonly reference: (databases: Databases) => Contender;
  readonly goals: Goals;
}

const fill = async (store: Work): Promise<void> => {
  for (let at = 0; at < rowsToRead; at += 500) await store.append(500);
};

const measurements: readonly Measurement[] = [
  {
    name: 'append-1',
    turn: (store, ms) => perSecond(ms, 1, () => store.append(1)),
    reference: rawInsert,
    goals: { 'raw-insert': 0.7 },
  },
  { name: 'append-16', turn: sixteen, reference: rawInsert, goals: { 'raw-insert': 5, emmett: 8 } },
  {
    name: 'append-batch-100',
    turn: (store, ms) => perSecond(ms, 100, () => store.append(100)),
    reference: rawInsert,
    goals: {},
  },
  {
    name: 'read',
    turn: (store, ms) => perSecond(ms, 500, () => store.page()),
    prepare: fill,
    reference: (databases) => rawSelect(databases, rowsToRead),
    goals: { 'raw-select': 0.8 },
  },
];

/** Measures everything, or what `only` names. */
export async function eventStoreBench({ quick: hasty, only }: BenchOptions): Promise<BenchOutcome> {
  const databases = new Databases();
  const results: BenchResult[] = [];
  const skipped: SkippedPeer[] = [];
  try {
    await databases.start();
    for (const { name, turn, prepare, reference, goals } of measurements) {
      if (only !== undefined && only !== name) continue;
      process.stderr.write(`${name} …\n`);
      const contenders = [
        contender(ours, databases, openOurs, turn, prepare),
        reference(databases),
        contender('emmett', databases, openEmmett, turn, prepare),
      ];
      const standing = await compete(contenders, hasty ? quick : full);
      const found = resultsOf(name, 'events/s', ours, standing, goals);
      results.push(...found.results);
      skipped.push(...found.skipped);
    }
  } finally {
    await databases.stop();
  }
  return { results, skipped };
}

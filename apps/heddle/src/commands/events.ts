import { Call, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import {
  dropParked,
  EventStore,
  knownSubscriptions,
  parkedEvents,
  rebuildProjection,
  rewindSubscription,
  type StoredEvent,
} from '@heddle/data/eventstore';
import { sqlPool } from '@heddle/sql';
import { type Command, exitCodes, type Given, usageError, type World } from '../command.ts';
import { requireDatabase } from '../node/require-database.ts';
import { secondsOf, wholeOf } from '../node/seconds.ts';
import { table } from '../terminal/table.ts';
import { eventsUsage } from './events.usage.ts';

/** `heddle events`: looks into an event store, and has its subscriptions begin again. */
export const events: Command = {
  ...eventsUsage,
  run: async (given, world) => {
    const [verb, name, position, ...rest] = given.words;
    const known = verb === undefined ? undefined : verbs[verb];
    if (known === undefined || rest.length > 0)
      throw usageError(`"heddle events" needs one of ${Object.keys(verbs).join(', ')}`);
    const found = [name, position].filter((word) => word !== undefined).length;
    if (found !== known.words.length)
      throw usageError(`"heddle events ${verb}" needs ${known.words.join(' and ') || 'nothing more'}`);
    const runtime = nodeRuntime({ name: 'events', logLevel: 'error' });
    const url = requireDatabase(given);
    const pool = sqlPool(url, { runtime, name: 'heddle events', maxConnections: 2 });
    const store = new EventStore({ runtime, pool, url });
    try {
      await store.start();
      return await known.run({ store, name: name ?? '', position: position ?? '', given, world });
    } finally {
      await store.stop();
      await pool.stop?.();
    }
  },
};

interface Asked {
  readonly store: EventStore;
  readonly name: string;
  readonly position: string;
  readonly given: Given;
  readonly world: World;
}

interface Verb {
  readonly words: readonly string[];
  run(asked: Asked): Promise<number>;
}

const verbs: Readonly<Record<string, Verb>> = {
  tail: { words: [], run: tail },
  read: { words: ['a stream'], run: read },
  subscriptions: { words: [], run: subscriptions },
  parked: { words: ['a subscription'], run: parked },
  drop: { words: ['a subscription', 'a position'], run: drop },
  replay: { words: ['a subscription'], run: replay },
  rebuild: { words: ['a projection'], run: rebuild },
};

const page = 500;

async function tail({ store, given, world }: Asked): Promise<number> {
  const { runtime } = store;
  const most = wholeOf(given, 'limit', Number.MAX_SAFE_INTEGER);
  const forMs = given.text('for') === undefined ? undefined : secondsOf(given, 'for', 0) * 1000;
  const type = given.text('type');
  let after = given.text('after') === undefined ? await lastTen(store) : wholeOf(given, 'after', 0);
  // The time that is given, and a signal, end it at once.
  const call = Call.root(runtime, forMs === undefined ? undefined : runtime.clock.nowMs() + forMs);
  let told = false;
  world.onSignal(() => {
    told = true;
    wake();
  });
  let wake = (): void => {};
  const stop = store.onAppend(() => wake());
  let shown = 0;
  while (!told && shown < most && call.remainingMs() > 0) {
    const woken = new Promise<void>((resolve) => (wake = resolve));
    const limit = Math.min(page, most - shown);
    const found = await store.readAll({ after, limit, ...(type !== undefined && { types: [type] }) });
    for (const event of found) world.terminal.out(lineOf(event, given));
    shown += found.length;
    after = found.at(-1)?.position ?? after;
    if (found.length === 0)
      await Promise.race([woken, sleep(runtime.timers, Math.min(1000, call.remainingMs()))]);
  }
  stop();
  call.end();
  return told ? exitCodes.cutShort : exitCodes.done;
}

async function lastTen(store: EventStore): Promise<number> {
  const [log] = await store.pool.query<{ next: number }>('SELECT next FROM heddle_event_log');
  return Math.max(0, (log?.next ?? 1) - 11);
}

async function read({ store, name, given, world }: Asked): Promise<number> {
  const most = wholeOf(given, 'limit', Number.MAX_SAFE_INTEGER);
  let shown = 0;
  for (let from = 0; shown < most; ) {
    const found = await store.read(name, { from, limit: Math.min(page, most - shown) });
    for (const event of found) world.terminal.out(lineOf(event, given));
    shown += found.length;
    const last = found.at(-1);
    if (last === undefined) break;
    from = last.version + 1;
  }
  if (shown === 0) world.terminal.err(`stream ${name} has no events\n`);
  return shown === 0 ? exitCodes.failed : exitCodes.done;
}

async function subscriptions({ store, given, world }: Asked): Promise<number> {
  const all = await knownSubscriptions(store.pool);
  const rows = all.map(({ name, slices, position, behind, parked: aside }) => ({
    subscription: name,
    slices,
    position,
    behind,
    parked: aside,
  }));
  print(rows.length === 0 ? 'there are no subscriptions\n' : table(rows), all, given, world);
  return exitCodes.done;
}

async function parked({ store, name, given, world }: Asked): Promise<number> {
  const all = await parkedEvents(store, name);
  const rows = all.map(({ event, error, parkedAt }) => ({
    position: event.position,
    stream: event.stream,
    type: event.type,
    since: parkedAt.toISOString(),
    error: error.length > 60 ? `${error.slice(0, 60)}…` : error,
  }));
  print(rows.length === 0 ? `${name} has put nothing aside\n` : table(rows), all, given, world);
  return exitCodes.done;
}

async function drop({ store, name, position, given, world }: Asked): Promise<number> {
  if (!/^\d{1,15}$/.test(position))
    throw usageError(`expected a position after the subscription, found "${position}"`);
  const dropped = await dropParked(store.pool, name, Number(position));
  const text = dropped ? `${name} leaves out ${position}\n` : `${name} has not put ${position} aside\n`;
  print(text, { subscription: name, position: Number(position), dropped }, given, world);
  return dropped ? exitCodes.done : exitCodes.failed;
}

async function replay({ store, name, given, world }: Asked): Promise<number> {
  const after = wholeOf(given, 'after', 0);
  await rewindSubscription(store.pool, name, after);
  store.wake();
  print(`${name} begins again behind ${after}\n`, { subscription: name, after }, given, world);
  return exitCodes.done;
}

async function rebuild({ store, name, given, world }: Asked): Promise<number> {
  await rebuildProjection(store.pool, name);
  store.wake();
  print(`projection ${name} is built again\n`, { projection: name }, given, world);
  return exitCodes.done;
}

function lineOf(event: StoredEvent, given: Given): string {
  if (given.flag('json')) return `${JSON.stringify(event)}\n`;
  const { position, stream, version, type, data } = event;
  return `${position}  ${stream}@${version}  ${type}  ${JSON.stringify(data)}\n`;
}

function print(text: string, value: unknown, given: Given, { terminal }: World): void {
  terminal.out(given.flag('json') ? `${JSON.stringify(value, undefined, 2)}\n` : text);
}

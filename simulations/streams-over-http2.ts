import { inject, planFaults, type Scenario, type World } from '@heddle/sim';
import { StreamBook } from './stage/stream-book.ts';
import { type RunningStreamClient, runStreamClient } from './stage/stream-client.ts';
import { type RunningStreamServer, runStreamServer, streamHost } from './stage/stream-server.ts';

const stormMs = 15_000;
const clientNames = ['client-1', 'client-2'];

/** Bugs that a test plants to see whether the scenario finds them. None by default. */
export interface PlantedStreams {
  /** Takes the place of each client's limits. */
  readonly keepaliveMs?: number;
  /** Ends the server's connections without waiting, where it should drain. */
  readonly hasty?: boolean;
  /** What the server makes of a content before it sends it back. */
  readonly spoil?: (content: Uint8Array) => Uint8Array;
}

/**
 * Streams both ways over HTTP/2, many on one connection. First a storm: crashes, partitions, pauses, loss. Whatever
 * happens, an answer that looks whole is whole and is that of its request, what is said not to have been sent was not
 * served, and each call ends in time. Then calm: all goes well again; a machine that is
 * gone is found out; a server that drains loses nothing; and after an orderly end nothing is left behind.
 */
export function streamsOverHttp2(planted: PlantedStreams = {}): Scenario {
  return {
    name: 'streams-over-http2',
    summary: 'HTTP/2 streams both ways under crashes, partitions, pauses and loss, then an orderly drain',
    run: (world) => play(world, planted),
  };
}

async function play(world: World, planted: PlantedStreams): Promise<void> {
  const book = new StreamBook();
  const host = world.host(streamHost);
  let server: RunningStreamServer | undefined;
  host.run(async (runtime) => {
    server = await runStreamServer(runtime, book, planted.spoil);
  });
  const clients: RunningStreamClient[] = [];
  for (const name of clientNames)
    world.host(name).run((runtime) => {
      clients.push(runStreamClient(runtime, name, book, planted.keepaliveMs));
    });
  world.check('answers are whole, and what was not sent was not served', () => book.checkEach());
  world.check('each call ends in time', () => book.checkInTime(world.nowMs));
  await world.runUntil('the first answers', 5000, () => book.succeeded > 5);
  await storm(world, host.name);
  await recover(world, book);
  await vanish(world, book);
  await drain(world, book, planted.hasty === true ? server?.stop : server?.drain);
  await end(world, book, clients);
}

async function storm(world: World, server: string): Promise<void> {
  const fromMs = world.nowMs;
  const untilMs = fromMs + stormMs;
  // Clients live on: they are who can tell what became of their calls.
  const kinds = [
    'crash',
    'kill',
    'pause',
    'partition',
    'partition-one-way',
    'slow-link',
    'lossy-link',
  ] as const;
  const linked = [server, ...clientNames];
  inject(
    world,
    planFaults(world.random, {
      hosts: [server],
      linked,
      kinds,
      fromMs,
      untilMs,
      everyMs: 1200,
      longestMs: 4000,
    }),
  );
  await world.run(stormMs + 1);
  world.note('the storm is over');
}

/** A second is enough to ask a silent server, another to give it up, and a back-off may have grown to some more. */
async function recover(world: World, book: StreamBook): Promise<void> {
  await world.run(10_000);
  const calmMs = world.nowMs;
  await world.run(5000);
  book.checkAllWell(calmMs);
}

/** The server's machine is gone without a word: who waits for it is told long before their patience is over. */
async function vanish(world: World, book: StreamBook): Promise<void> {
  const fromMs = world.nowMs;
  world.host(streamHost).crash();
  await world.run(6000);
  book.checkFoundOut(fromMs);
  world.host(streamHost).restart();
  await world.run(10_000);
}

/** The server goes in good order: GOAWAY twice. What it has begun it finishes, and what it has not was not sent. */
async function drain(
  world: World,
  book: StreamBook,
  leave: (() => Promise<void>) | undefined,
): Promise<void> {
  const leaving = { done: false };
  const fromMs = world.nowMs;
  void leave?.().then(() => (leaving.done = true));
  await world.runUntil('the server is drained', 20_000, () => leaving.done);
  // For the news to travel.
  await world.run(200);
  book.checkNothingLost(fromMs);
  world.host(streamHost).kill();
  world.host(streamHost).restart();
  await world.run(10_000);
  if (book.succeeded < 100) world.fail('calls', `only ${book.succeeded} went well: nothing was shown`);
}

async function end(world: World, book: StreamBook, clients: readonly RunningStreamClient[]): Promise<void> {
  let stopped = 0;
  for (const client of clients) void client.stop().then(() => stopped++);
  await world.runUntil('the clients stop', 10_000, () => stopped === clients.length);
  const open = (): number =>
    clientNames.reduce((count, name) => count + world.network.openConnections(name), 0);
  await world.runUntil(
    'nothing is left: the connections of clients that have stopped are closed',
    2000,
    () => open() === 0,
  );
  for (const name of clientNames) world.host(name).kill();
  if (book.open > 0) world.fail('nothing is left', `${book.open} calls never ended`);
  world.host(streamHost).kill();
  await world.run(400_000);
  if (world.time.pending > 0) world.fail('nothing is left', `${world.time.pending} timers at the end`);
}

export const scenario: Scenario = streamsOverHttp2();

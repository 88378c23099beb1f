// `npm run bench -- config`: from a change to all clients, and how many changes a second, beside etcd and Nacos.
import { type ConfigStore, type ConfigVersion, follow, type Place, readPlace } from '@heddle/config';
import { Call, HeddleError } from '@heddle/kernel';
import { runtime } from '../messaging/databases.ts';
import { compete, type Contender, type Pace, resultsOf } from '../messaging/rounds.ts';
import type { BenchOptions, BenchOutcome, BenchResult, SkippedPeer } from '../report.ts';
import { embeddedCentre, etcdCentre, nacosCentre, nacosRawCentre, type RunningCentre } from './centres.ts';

const full: Pace = { rounds: 7, turnMs: 3000 };
const quick: Pace = { rounds: 1, turnMs: 600 };
const ours = 'embedded';
const clients = 50;
/** Between two changes, so that one is through before the next. */
const pauseMs = 100;
const writers = 8;

const centres: Readonly<Record<string, () => Promise<RunningCentre>>> = {
  [ours]: embeddedCentre,
  etcd: etcdCentre,
  nacos: nacosCentre,
  'nacos-raw': nacosRawCentre,
};

/** Publishes one version after another to a place. */
class Writer {
  readonly #store: ConfigStore;
  readonly #place: Place;
  #version = 0;

  constructor(store: ConfigStore, place: Place) {
    this.#store = store;
    this.#place = place;
  }

  /** The version that is published next. */
  get next(): number {
    return this.#version + 1;
  }

  async publish(): Promise<void> {
    const version: ConfigVersion = {
      place: this.#place,
      version: this.next,
      author: 'bench',
      comment: '',
      atMs: runtime.clock.wallMs(),
      action: 'publish',
      values: { 'pool.max': this.#version, banner: 'x'.repeat(500) },
    };
    await this.#store.append(version);
    this.#version += 1;
  }
}

/** From before a change is published until each client has it: the 99th percentile over all clients and changes. */
function changeToClient(name: string): Contender {
  return {
    name,
    open: async () => {
      const centre = await open(name);
      const place = readPlace('bench/config/change');
      const writer = new Writer(centre.writer, place);
      await writer.publish();
      const sentAt = new Map<number, number>();
      let delays: number[] = [];
      const call = Call.root(runtime);
      const following = Array.from({ length: clients }, () =>
        followed(centre.client(), place, call, (version) => {
          const sent = sentAt.get(version);
          if (sent !== undefined) delays.push(performance.now() - sent);
        }),
      );
      return {
        turn: async (ms) => {
          delays = [];
          let changes = 0;
          for (const endAt = performance.now() + ms; performance.now() < endAt; ) {
            sentAt.set(writer.next, performance.now());
            await writer.publish();
            changes += 1;
            await until(() => delays.length >= changes * clients, 30_000);
            await new Promise((resolve) => setTimeout(resolve, pauseMs));
          }
          return quantile(delays, 0.99);
        },
        close: async () => {
          call.cancel(new HeddleError({ code: 'cancelled', reason: 'DONE', message: 'measured' }));
          await Promise.allSettled(following);
          call.end();
          await centre.close();
        },
      };
    },
  };
}

/** Changes a second by eight writers, each to a place of its own and one after another. */
function publishRate(name: string): Contender {
  return {
    name,
    open: async () => {
      const centre = await open(name);
      const all = Array.from(
        { length: writers },
        (_, at) => new Writer(centre.writer, readPlace(`bench/config/rate-${at}`)),
      );
      return {
        turn: async (ms) => {
          const startedAt = performance.now();
          let done = 0;
          await Promise.all(
            all.map(async (writer) => {
              while (performance.now() - startedAt < ms) {
                await writer.publish();
                done += 1;
              }
            }),
          );
          return (done * 1000) / (performance.now() - startedAt);
        },
        close: () => centre.close(),
      };
    },
  };
}

async function open(name: string): Promise<RunningCentre> {
  const make = centres[name];
  if (make === undefined) throw new Error(`there is no centre "${name}"`);
  return make();
}

async function followed(
  store: ConfigStore,
  place: Place,
  call: Call,
  seen: (version: number) => void,
): Promise<void> {
  for await (const { version } of follow(store, place, 0, call, { runtime })) seen(version);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function until(holds: () => boolean, mostMs: number): Promise<void> {
  for (const endAt = performance.now() + mostMs; !holds(); ) {
    if (performance.now() > endAt) throw new Error(`not all clients have the change after ${mostMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Measures everything, or what `only` names. */
export async function configBench({ quick: hasty, only }: BenchOptions): Promise<BenchOutcome> {
  const pace = hasty ? quick : full;
  const results: BenchResult[] = [];
  const skipped: SkippedPeer[] = [];
  const measurements = [
    { name: 'change-to-client-p99', unit: 'ms', make: changeToClient, lessIsBetter: true },
    { name: 'publish-rate', unit: 'changes/s', make: publishRate, lessIsBetter: false },
  ];
  for (const { name, unit, make, lessIsBetter } of measurements) {
    if (only !== undefined && only !== name) continue;
    process.stderr.write(`${name} …\n`);
    const standing = await compete(Object.keys(centres).map(make), pace);
    const found = resultsOf(name, unit, ours, standing, {}, lessIsBetter);
    results.push(...found.results);
    skipped.push(...found.skipped);
  }
  return { results, skipped };
}

// The same work for every registry: so many services with ten instances each, found, changed and watched.
import type { InstanceInit, Registry } from '@heddle/discovery';
import { type MortalRuntime, mortalRuntime } from '@heddle/discovery/testing';
import type { Address } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { median } from '../measure.ts';
import { type Contender, residentMib } from './contender.ts';

const instancesEach = 10;
const atATime = 64;
const registerLimitMs = 80_000;

/** How much of it. */
export interface Pace {
  readonly services: number;
  readonly watchers: number;
  readonly changes: number;
  /** Where a registry takes longer than this for all changes, the p99 is that of as many as it has done. */
  readonly changesMs: number;
  readonly resolveMs: number;
  readonly rounds: number;
}

/** What one round of one registry came to. */
export interface Round {
  readonly registeredPerSecond: number;
  /** Undefined if not all could be registered in time. */
  readonly memoryMib: number | undefined;
  readonly resolvedPerSecond: number;
  readonly changeP99Ms: number;
  readonly tookMs: number;
}

const log = (): void => {};

/** A runtime of a client that ends with `die`, without telling its registry. */
export function clientRuntime(): MortalRuntime {
  return mortalRuntime({ ...nodeRuntime({ name: 'bench' }), log });
}

/** One instance of the work. */
export function instanceOf(service: number, at: number, weight = 100): InstanceInit {
  const address = `10.${service >> 8}.${service & 255}.${at + 1}`;
  return { service: `service-${service}`, address, port: 8080, weight, zone: 'z1', version: 'v1' };
}

/** Does `work` for all items, so many at a time, until done or out of time; how many were done and how long it took. */
export async function crowd<T>(
  items: readonly T[],
  limitMs: number,
  work: (item: T) => Promise<void>,
): Promise<{ readonly done: number; readonly tookMs: number }> {
  const startedMs = performance.now();
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) {
      if (performance.now() - startedMs > limitMs) return;
      await work(items[at] as T);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  return { done, tookMs: performance.now() - startedMs };
}

/** All instances of `services` services. */
export function allInstances(services: number): InstanceInit[] {
  return Array.from({ length: services * instancesEach }, (_, at) =>
    instanceOf(Math.floor(at / instancesEach), at % instancesEach),
  );
}

/** One round on a fresh server. */
export async function playRound(contender: Contender, pace: Pace): Promise<Round> {
  const startedMs = performance.now();
  const server = await contender.start();
  const runtime = clientRuntime();
  try {
    const registry = contender.open(runtime, server.address);
    await registry.register(instanceOf(pace.services, 0));
    const before = residentMib(server.pid);
    const all = allInstances(pace.services);
    const { done, tookMs } = await crowd(all, registerLimitMs, (one) => registered(registry, one));
    const memoryMib = done === all.length ? residentMib(server.pid) - before : undefined;
    const resolvedPerSecond = await resolveRate(registry, pace);
    const changeP99Ms = await changeToLast(contender, server, registry, pace);
    return {
      registeredPerSecond: (done * 1000) / tookMs,
      memoryMib,
      resolvedPerSecond,
      changeP99Ms,
      tookMs: performance.now() - startedMs,
    };
  } finally {
    runtime.die();
    await server.stop();
  }
}

/** Registers, and insists. */
export async function registered(registry: Registry, init: InstanceInit): Promise<void> {
  const held = await registry.register(init);
  if (!held.registered) throw held.problem ?? new Error('not registered');
}

async function resolveRate(registry: Registry, { services, resolveMs }: Pace): Promise<number> {
  const endless = Array.from({ length: 1_000_000 }, (_, at) => `service-${at % services}`);
  const { done, tookMs } = await crowd(endless, resolveMs, async (service) => {
    await registry.instances(service);
  });
  return (done * 1000) / tookMs;
}

/** Every watcher has a registry object, and so connections, of its own. */
async function changeToLast(
  contender: Contender,
  { address }: { readonly address: Address },
  writer: Registry,
  { watchers, changes, changesMs }: Pace,
): Promise<number> {
  const runtime = clientRuntime();
  const latest = Array.from({ length: watchers }, () => -1);
  let told = (): void => {};
  const registries = latest.map(() => contender.open(runtime, address));
  for (const [at, registry] of registries.entries()) void follow(registry, at);
  async function follow(registry: Registry, at: number): Promise<void> {
    for await (const { instances } of registry.watch('service-0')) {
      latest[at] = instances.find((each) => each.address === '10.0.0.1')?.weight ?? -1;
      told();
    }
  }
  const allSee = (weight: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`not all see weight ${weight}`)), 60_000);
      told = () => {
        if (latest.some((seen) => seen !== weight)) return;
        clearTimeout(limit);
        resolve();
      };
      told();
    });
  await allSee(100);
  const times: number[] = [];
  const beganMs = performance.now();
  for (let change = 0; change < changes && performance.now() - beganMs < changesMs; change++) {
    const startedMs = performance.now();
    await Promise.all([registered(writer, instanceOf(0, 0, change + 1)), allSee(change + 1)]);
    times.push(performance.now() - startedMs);
  }
  await Promise.all(registries.map((registry) => registry.close()));
  runtime.die();
  return percentile(times, 0.99);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** The medians of several rounds; a memory that was never complete stays unknown. */
export function medianRound(rounds: readonly Round[]): Round {
  const of = (read: (round: Round) => number | undefined): number | undefined => {
    const values = rounds.map(read).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : median(values);
  };
  return {
    registeredPerSecond: of((round) => round.registeredPerSecond) ?? 0,
    memoryMib: of((round) => round.memoryMib),
    resolvedPerSecond: of((round) => round.resolvedPerSecond) ?? 0,
    changeP99Ms: of((round) => round.changeP99Ms) ?? 0,
    tookMs: of((round) => round.tookMs) ?? 0,
  };
}

import type { Log, LogLevel } from '../ports/log.ts';
import type { Runtime } from '../ports/runtime.ts';
import { SimulatedDisk } from './disk/simulated-disk.ts';
import { SimulatedNet } from './net/simulated-net.ts';
import { SimulatedProcess } from './process.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualTime } from './virtual-time.ts';

/** What a `simulatedRuntime` may be told. */
export interface SimulatedRuntimeOptions {
  /** Default 1. */
  readonly seed?: number;
  /** Where lines go. Default: nowhere. */
  readonly log?: Log;
}

/** A runtime, and what moves it. */
export interface SimulatedRuntime extends Runtime {
  readonly time: VirtualTime;
  readonly network: SimulatedNet;
  readonly process: SimulatedProcess;
  /** The medium under `disk`. */
  readonly medium: SimulatedDisk;
}

/**
 * One process on one host, called `local`, under a seed: for tests of a single component, as
 * `await runtime.time.run(work(runtime))`. For several hosts and their faults, see `@heddle/sim`.
 */
export function simulatedRuntime(options: SimulatedRuntimeOptions = {}): SimulatedRuntime {
  const { seed = 1, log = silence } = options;
  const time = new VirtualTime();
  const process = new SimulatedProcess(time);
  const network = new SimulatedNet({ time, random: seededRandom(forkSeed(seed, 'network')) });
  const medium = new SimulatedDisk({ time, random: seededRandom(forkSeed(seed, 'disk')) });
  return {
    clock: process.clock,
    timers: process.timers,
    random: seededRandom(seed),
    net: network.attach('local', process),
    disk: medium.mount(process),
    log,
    time,
    network,
    process,
    medium,
  };
}

/** A seed for one part of a simulation, so that what one part draws does not move what another will. FNV-1a. */
export function forkSeed(seed: number, part: string): number {
  let hash = (seed ^ 0x811c9dc5) >>> 0;
  for (let at = 0; at < part.length; at++) hash = Math.imul(hash ^ part.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}

function silence(_level: LogLevel, _message: string): void {}

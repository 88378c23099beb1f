import { type Clock, HeddleError, type Log, type Runtime, type Timers } from '@heddle/kernel';
import { seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { type MemoryDisk, memoryDisk } from './memory-disk.ts';

/** A runtime under a seed, without sockets, in which a test moves the time. */
export interface VirtualRuntime extends Runtime {
  readonly time: VirtualTime;
  readonly disk: MemoryDisk;
  /** What was logged, as `level message`. */
  readonly lines: string[];
  /** Added to the time of day, and to nothing else. */
  wallSkewMs: number;
  /** Stops the process, but not the time: its tasks wait until `resume`, whenever they fall due. */
  pause(): void;
  resume(): void;
  /** The same machine for another process: the same time, chance and log, its own disk. */
  beside(disk?: MemoryDisk): VirtualRuntime;
}

/** Everything but the disk is as `VirtualTime` and the seed have it. */
export function virtualRuntime(seed = 1, disk: MemoryDisk = memoryDisk()): VirtualRuntime {
  return runtimeOn(new VirtualTime(), seed, disk);
}

function runtimeOn(time: VirtualTime, seed: number, disk: MemoryDisk): VirtualRuntime {
  const lines: string[] = [];
  const log: Log = (level, message) => void lines.push(`${level} ${message}`);
  const clock: Clock = {
    nowMs: () => time.clock.nowMs(),
    wallMs: () => time.clock.wallMs() + runtime.wallSkewMs,
  };
  const noNet = (): never => {
    throw new HeddleError({
      code: 'unavailable',
      reason: 'NO_NET',
      message: 'there are no sockets here',
      sent: false,
    });
  };
  let held: (() => void)[] | undefined;
  const whenRunning = (task: () => void): (() => void) => {
    return () => (held === undefined ? task() : void held.push(task));
  };
  const timers: Timers = {
    after: (delayMs, task) => {
      let cancelled = false;
      const timer = time.timers.after(
        delayMs,
        whenRunning(() => cancelled || task()),
      );
      return {
        cancel: () => {
          cancelled = true;
          timer.cancel();
        },
      };
    },
    soon: (task) => time.timers.soon(whenRunning(task)),
  };
  const runtime: VirtualRuntime = {
    time,
    clock,
    timers,
    random: seededRandom(seed),
    net: { connect: async () => noNet(), listen: async () => noNet() },
    disk,
    log,
    lines,
    wallSkewMs: 0,
    pause: () => {
      held ??= [];
    },
    resume: () => {
      const tasks = held ?? [];
      held = undefined;
      for (const task of tasks) task();
    },
    beside: (other = memoryDisk()) => runtimeOn(time, seed + 1, other),
  };
  return runtime;
}

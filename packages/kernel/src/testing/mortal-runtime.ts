import type { Runtime } from '../ports/runtime.ts';

/** A runtime whose process can die: from then on, none of its timers runs any more. */
export interface MortalRuntime extends Runtime {
  readonly alive: boolean;
  die(): void;
}

/** Shares everything but its life with `runtime`. */
export function mortalRuntime(runtime: Runtime): MortalRuntime {
  let alive = true;
  const whileAlive = (task: () => void) => (): void => {
    if (alive) task();
  };
  return {
    ...runtime,
    timers: {
      after: (delayMs, task) => runtime.timers.after(delayMs, whileAlive(task)),
      soon: (task) => runtime.timers.soon(whileAlive(task)),
    },
    get alive() {
      return alive;
    },
    die: () => {
      alive = false;
    },
  };
}

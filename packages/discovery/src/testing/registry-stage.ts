import { type Runtime, sleep } from '@heddle/kernel';
import type { Registry } from '../registry/registry.ts';

/**
 * A backend under test. `registryContract` makes one for each case and closes it afterwards.
 * Times are real: the shorter the lease, the sooner the suite is done.
 */
export interface RegistryStage {
  readonly runtime: Runtime;
  /** The lease of what is registered through `open`. */
  readonly ttlMs: number;
  /** A registry object as another process would make: its own registrations and watches, the same entries. */
  open(): Promise<Registry>;
  /** The process behind this object dies: nothing more is renewed, and nothing is taken back. */
  crash(registry: Registry): Promise<void>;
  /** What can be done to the backend. */
  readonly faults: RegistryFaults;
  /** Ends everything that `open` made, and the backend. */
  close(): Promise<void>;
}

/** Faults of a backend that is a server of its own. */
export interface RegistryFaults {
  /** Stops the server at once, as `kill -9` does. */
  readonly kill?: () => Promise<void>;
  /** Starts it again at the same address with what it had. */
  readonly restart?: () => Promise<void>;
  /** As `restart`, with nothing. */
  readonly restartEmpty?: () => Promise<void>;
  /** Lets nothing through any more in either direction, without telling anybody, until `heal`. */
  readonly cut?: () => void;
  /** Ends `cut`. Connections that were open meanwhile are broken. */
  readonly heal?: () => void;
  /** Delays every answer by this long from now on; 0 ends that. */
  readonly delay?: (delayMs: number) => void;
}

/** Waits until `condition` holds, looking every 5 ms. Rejects after `limitMs` with what was waited for. */
export async function until(
  runtime: Runtime,
  what: string,
  limitMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const startedMs = runtime.clock.nowMs();
  while (!(await condition())) {
    if (runtime.clock.nowMs() - startedMs > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await sleep(runtime.timers, 5);
  }
}

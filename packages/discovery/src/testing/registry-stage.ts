import type { Registry } from '../registry/registry.ts';

/**
 * A backend under test. `registryContract` makes one for each case and closes it afterwards.
 * Times are real: the shorter the lease, the sooner the suite is done.
 */
export interface RegistryStage {
  /** The lease of what is registered through `open`. */
  readonly ttlMs: number;
  /** A registry object as another process would make: its own registrations and watches, the same entries. */
  open(): Promise<Registry>;
  /** The process behind this object dies: nothing more is renewed, and nothing is taken back. */
  crash(registry: Registry): Promise<void>;
  /** What can be done to the backend; a case that needs more than there is, is skipped. */
  readonly faults: RegistryFaults;
  close(): Promise<void>;
}

/** Faults of a backend that is a server of its own. */
export interface RegistryFaults {
  /** Stops the server at once, as `kill -9` does. */
  kill?(): Promise<void>;
  /** Starts it again at the same address with what it had. */
  restart?(): Promise<void>;
  /** As `restart`, with nothing. */
  restartEmpty?(): Promise<void>;
  /** Cuts all connections and lets none through until `heal`. Answers are lost, nobody is told. */
  cut?(): void;
  heal?(): void;
  /** Delays every answer by this long from now on; 0 ends that. */
  delay?(delayMs: number): void;
}

/** Waits in real time until `condition` holds; looks every 5 ms. Rejects after `limitMs` with what was waited for. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
): Promise<void> {
  const started = process.hrtime.bigint();
  while (!(await condition())) {
    if (Number(process.hrtime.bigint() - started) / 1e6 > limitMs)
      throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

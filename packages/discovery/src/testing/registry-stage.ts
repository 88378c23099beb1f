import type { Address, Runtime } from '@heddle/kernel';
import type { Registry } from '../registry/registry.ts';

/**
 * A backend under test. `registryContract` makes one for each case and closes it afterwards.
 * Times are real: the shorter the lease, the sooner the suite is done.
 */
export interface RegistryStage {
  readonly runtime: Runtime;
  /** The lease of what is registered through `open`. */
  readonly ttlMs: number;
  /** Where clients reach the backend, for those in other processes. */
  readonly address?: Address;
  /** How long a change may take to reach a watcher while all is well. Default 2000; longer where the backend is polled. */
  readonly seenWithinMs?: number;
  /** A registry object as another process would make: its own registrations and watches, the same entries. */
  open(): Promise<Registry>;
  /** The process behind this object dies: nothing more is renewed, and nothing is taken back. */
  crash(registry: Registry): Promise<void>;
  /** What can be done to the backend. */
  readonly faults: RegistryFaults;
  /** Other ways into a backend of this kind, each set up when it is asked for and ended by `close`. */
  readonly doors?: RegistryDoors;
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
  /**
   * Makes the backend forget what a watcher could go on from, while it cannot be reached or not: compaction (etcd), an
   * index that begins anew (Consul), an expired version (Kubernetes) or session (ZooKeeper). Nothing registered is lost.
   */
  readonly forgetHistory?: () => Promise<void>;
  /** Moves the time of day of `runtime` by this much. */
  readonly jumpClock?: (byMs: number) => void;
  /** When connections to the server were asked for, in `runtime.clock.nowMs()` time, oldest first. */
  readonly arrivals?: () => readonly number[];
}

/** A way into a backend that not everybody may take. */
export interface RegistryDoor {
  /** A registry object that may enter; each call makes another. */
  right(): Promise<Registry>;
  /** Objects that may not, by what is wrong with them. */
  wrong(): Promise<Readonly<Record<string, Registry>>>;
}

/** Set up with a server of its own where it takes that. */
export interface RegistryDoors {
  /** Users, tokens: whatever the backend has. */
  readonly auth?: () => Promise<RegistryDoor>;
  /** TLS; wrong are those who do not trust the server, or have no certificate where one is asked for. */
  readonly tls?: () => Promise<RegistryDoor>;
  /** At `::1`; nobody is wrong. */
  readonly ipv6?: () => Promise<RegistryDoor>;
}

/** What not every backend can do. */
export const registryAbilities = ['register', 'services', 'leases', 'takeover', 'health', 'fields'] as const;

/**
 * One of `registryAbilities`. `register`: be written to at all. `services`: list them. `leases`: drop an entry whose
 * process has died. `takeover`: tell a process that another has its id. `health`: keep what a heartbeat reports.
 * `fields`: keep every field of an instance.
 */
export type RegistryAbility = (typeof registryAbilities)[number];

/** What a backend cannot do, each with the sentence that says why. */
export type RegistryLacks = Readonly<Partial<Record<RegistryAbility, string>>>;

/** How long a change may take to reach a watcher of this stage. */
export function seenWithin(stage: RegistryStage): number {
  return stage.seenWithinMs ?? 2000;
}

export { until } from '@heddle/kernel/testing';

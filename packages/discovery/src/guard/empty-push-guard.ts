import type { Runtime, Timer } from '@heddle/kernel';
import type { Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import type { Snapshot } from '../registry/snapshot.ts';
import { answersTcp } from './answers-tcp.ts';
import { filteredWatch, type SnapshotFilter } from './filtered-watch.ts';
import { withParts } from './with-parts.ts';

/** A push that is being held back, or was. */
export interface HeldBack {
  readonly service: string;
  /** How many instances the registry has dropped that are still shown; 0 when it is over. */
  readonly instances: number;
  /** How many there were before. */
  readonly of: number;
}

/** When and for how long to doubt a registry. */
export interface EmptyPushGuardOptions {
  readonly runtime: Runtime;
  /** Doubted: a service that shrinks by more than this share at once. Default 0.7. A service that vanishes always is. */
  readonly share?: number;
  /** The share counts from this many instances on. Default 5. */
  readonly leastInstances?: number;
  /** After this long the registry is believed. Default 30000. */
  readonly graceMs?: number;
  /** Whether a dropped instance still works. Must not reject. Default: it accepts a TCP connection within a second. */
  readonly answers?: (instance: Instance) => Promise<boolean>;
  /** Told when something is held back, when that becomes less, and when it is over. Must not throw. */
  readonly onHeldBack?: (report: HeldBack) => void;
}

const checkEveryMs = 1000;
// So that a large fleet does not cost as many sockets at once.
const checksAtATime = 50;

/**
 * Protects callers from a registry that has lost its mind: when a snapshot would take away all instances, or most of
 * many, at once, those that still answer are shown on for a grace time, `heldBack` says how many, and the log says so.
 * An instance that does not answer goes at once; new ones are shown at once, and make up for as many that went.
 * Only watches are guarded: `instances` is what the registry says.
 */
export function emptyPushGuard(registry: Registry, options: EmptyPushGuardOptions): Registry {
  return withParts(registry, {
    watch: (service, signal) => {
      // Outside of the filter, so that a bad name throws here.
      const open = (leaving: AbortSignal): AsyncIterable<Snapshot> => registry.watch(service, leaving);
      return filteredWatch(open, (changed) => new Guard(options, changed), signal);
    },
  });
}

class Guard implements SnapshotFilter {
  readonly #options: EmptyPushGuardOptions;
  readonly #changed: () => void;
  /** The last snapshot that was believed. */
  #believed: Snapshot | undefined;
  #pushed: Snapshot | undefined;
  #held = new Map<string, Instance>();
  #shown: Snapshot | undefined;
  #grace: Timer | undefined;
  #nextCheck: Timer | undefined;
  #stopped = false;

  constructor(options: EmptyPushGuardOptions, changed: () => void) {
    this.#options = options;
    this.#changed = changed;
  }

  get current(): Snapshot | undefined {
    return this.#shown;
  }

  push(snapshot: Snapshot): void {
    this.#pushed = snapshot;
    const before = this.#believed;
    if (before === undefined || !this.#isDoubtful(before, snapshot)) {
      this.#believe(snapshot);
      return;
    }
    if (this.#grace === undefined) this.#beginHolding(before);
    // What has come back is the registry's again.
    for (const { id } of snapshot.instances) this.#held.delete(id);
    this.#show();
  }

  stop(): void {
    this.#stopped = true;
    this.#endHolding();
  }

  #isDoubtful(before: Snapshot, after: Snapshot): boolean {
    const { share = 0.7, leastInstances = 5 } = this.#options;
    const had = before.instances.length;
    const has = after.instances.length;
    if (has === 0) return had > 0;
    return had >= leastInstances && had - has > share * had;
  }

  #believe(snapshot: Snapshot): void {
    const wasHolding = this.#grace !== undefined;
    this.#endHolding();
    this.#believed = snapshot;
    this.#show();
    if (wasHolding) this.#report(snapshot.service);
  }

  #beginHolding(before: Snapshot): void {
    const { runtime, graceMs = 30_000 } = this.#options;
    const { service, instances } = before;
    this.#held = new Map(instances.map((instance) => [instance.id, instance]));
    for (const { id } of this.#pushed?.instances ?? []) this.#held.delete(id);
    this.#grace = runtime.timers.after(graceMs, () => {
      if (this.#pushed !== undefined) this.#believe(this.#pushed);
    });
    runtime.log('warn', 'a registry would take away most of a service at once; those that answer are kept', {
      service,
      held: this.#held.size,
      of: instances.length,
      graceMs,
    });
    this.#report(service);
    void this.#check();
  }

  #endHolding(): void {
    this.#grace?.cancel();
    this.#nextCheck?.cancel();
    this.#grace = undefined;
    this.#held.clear();
  }

  /** Asks all that are held, some at a time, and lets go of those that do not answer. */
  async #check(): Promise<void> {
    const { runtime, answers = (instance): Promise<boolean> => answersTcp(runtime, instance) } =
      this.#options;
    const held = this.#held;
    const instances = [...held.values()];
    for (let at = 0; at < instances.length; at += checksAtATime) {
      const some = instances.slice(at, at + checksAtATime);
      const alive = await Promise.all(some.map(answers));
      if (this.#stopped || this.#grace === undefined || this.#held !== held) return;
      const dead = some.filter((instance, index) => alive[index] !== true && held.delete(instance.id));
      if (dead.length > 0) {
        this.#show();
        this.#report(some[0]?.service ?? '');
      }
    }
    if (held.size > 0) this.#nextCheck = runtime.timers.after(checkEveryMs, () => void this.#check());
    else if (this.#pushed !== undefined) this.#believe(this.#pushed);
  }

  #show(): void {
    const pushed = this.#pushed;
    if (pushed === undefined) return;
    const instances = [...pushed.instances, ...this.#held.values()].toSorted((a, b) =>
      a.id < b.id ? -1 : 1,
    );
    this.#shown = this.#held.size === 0 ? pushed : { ...pushed, instances, heldBack: this.#held.size };
    this.#changed();
  }

  #report(service: string): void {
    const of = this.#believed?.instances.length ?? 0;
    this.#options.onHeldBack?.({ service, instances: this.#held.size, of });
  }
}

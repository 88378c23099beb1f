import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import { type Instance, sameInstance } from '../../registry/instance.ts';
import type { Snapshot } from '../../registry/snapshot.ts';
import { Watcher } from '../../registry/watcher.ts';
import type { DnsFinding } from './dns-instances.ts';

/** What a feed works with. */
export interface DnsFeedOptions {
  readonly runtime: Runtime;
  readonly service: string;
  readonly term: number;
  /** Asks DNS. */
  readonly find: () => Promise<DnsFinding>;
  /** The next revision of the registry. */
  readonly nextRevision: () => number;
  readonly onProblem: (problem: HeddleError | undefined) => void;
  readonly onIdle: () => void;
}

// A TTL of 0 means "do not keep"; asking more often than this would be a loop.
const leastMs = 1000;
const mostMs = 300_000;
const retryMs = 1000;

/** Asks again whenever the answer has run out, for any number of readers, until the last has left. */
export class DnsFeed {
  readonly #options: DnsFeedOptions;
  readonly #watchers = new Set<Watcher<Snapshot>>();
  #snapshot: Snapshot | undefined;
  #heardAtMs = 0;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: DnsFeedOptions) {
    this.#options = options;
    void this.#ask();
  }

  watch(signal?: AbortSignal): Watcher<Snapshot> {
    const ended = (watcher: Watcher<Snapshot>): void => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.stop();
    };
    const watcher = new Watcher(() => this.#handOut(), ended, signal);
    if (signal?.aborted !== true) this.#watchers.add(watcher);
    else if (this.#watchers.size === 0) this.stop();
    return watcher;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    for (const watcher of this.#watchers) watcher.end();
    this.#options.onIdle();
  }

  #handOut(): Snapshot | undefined {
    const snapshot = this.#snapshot;
    if (snapshot?.stale !== true) return snapshot;
    return { ...snapshot, ageMs: this.#options.runtime.clock.nowMs() - this.#heardAtMs };
  }

  async #ask(): Promise<void> {
    const { runtime, find, onProblem } = this.#options;
    let nextMs = retryMs * (1 + runtime.random.float());
    try {
      const { instances, ttlMs } = await find();
      if (this.#stopped) return;
      nextMs = Math.min(mostMs, Math.max(leastMs, ttlMs));
      this.#heardAtMs = runtime.clock.nowMs();
      onProblem(undefined);
      this.#publish(instances);
    } catch (thrown) {
      if (this.#stopped) return;
      onProblem(HeddleError.from(thrown));
      if (this.#snapshot?.stale === false) this.#show({ ...this.#snapshot, stale: true });
    }
    this.#timer = runtime.timers.after(nextMs, () => void this.#ask());
  }

  #publish(found: readonly Instance[]): void {
    const before = this.#snapshot;
    const known = new Map(before?.instances.map((instance) => [instance.id, instance]));
    const instances = found.map((instance) => {
      const old = known.get(instance.id);
      return old !== undefined && sameInstance(old, instance) ? old : instance;
    });
    const isSame =
      before !== undefined &&
      before.instances.length === instances.length &&
      instances.every((instance, at) => instance === before.instances[at]);
    if (isSame && !before.stale) return;
    const { service, term } = this.#options;
    const revision = isSame ? before.revision : this.#options.nextRevision();
    const rest = { ageMs: 0, stale: false, source: 'registry', heldBack: 0 } as const;
    this.#show({ service, term, revision, ...rest, instances });
  }

  #show(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    for (const watcher of this.#watchers) watcher.poke();
  }
}

import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { Registry } from '../registry/registry.ts';
import { comparePositions, type Snapshot } from '../registry/snapshot.ts';
import { filteredWatch, type SnapshotFilter } from './filtered-watch.ts';
import { loadSnapshot, saveSnapshot } from './snapshot-file.ts';
import { withParts } from './with-parts.ts';

/** Where and when the last known snapshots are kept and used. */
export interface LastKnownGoodOptions {
  readonly runtime: Runtime;
  /** Within the runtime's disk. Default `last-known-good`. */
  readonly folder?: string;
  /** How long a registry may take to give the first snapshot before the one on disk is used. Default 1000. */
  readonly waitMs?: number;
}

const saveEveryMs = 1000;

/**
 * Keeps the last snapshot of every service that is watched on disk, and serves it while the registry cannot be asked:
 * a process that starts during an outage still finds its upstreams. Such a snapshot has `stale` set and `source`
 * `disk`. Empty snapshots are not kept: they would help nobody. A disk that fails costs only this protection.
 */
export function lastKnownGood(registry: Registry, options: LastKnownGoodOptions): Registry {
  const { runtime, folder = 'last-known-good', waitMs = 1000 } = options;
  const pathOf = (service: string): string => `${folder}/${service}`;
  const keepers = new Map<string, Keeper>();
  const keeperOf = (service: string): Keeper => {
    const known = keepers.get(service);
    if (known !== undefined) return known;
    const keeper = new Keeper(runtime, pathOf(service));
    keepers.set(service, keeper);
    return keeper;
  };
  return withParts(registry, {
    watch: (service, signal) => {
      const open = (leaving: AbortSignal): AsyncIterable<Snapshot> => registry.watch(service, leaving);
      const load = (): Promise<Snapshot | undefined> => loadSnapshot(runtime, pathOf(service), service);
      const keep = (snapshot: Snapshot): void => keeperOf(service).keep(snapshot);
      return filteredWatch(open, (changed) => new Fallback({ runtime, waitMs, load, keep, changed }), signal);
    },
    instances: async (service) => {
      try {
        const snapshot = await registry.instances(service);
        keeperOf(service).keep(snapshot);
        return snapshot;
      } catch (thrown) {
        const error = HeddleError.from(thrown);
        const away = error.code === 'unavailable' || error.code === 'deadline_exceeded';
        const stored = away ? await loadSnapshot(runtime, pathOf(service), service) : undefined;
        if (stored === undefined) throw error;
        return stored;
      }
    },
    close: async () => {
      await registry.close();
      await Promise.all([...keepers.values()].map((keeper) => keeper.close()));
    },
  });
}

/** What a `Fallback` works with. */
interface FallbackOptions {
  readonly runtime: Runtime;
  readonly waitMs: number;
  readonly load: () => Promise<Snapshot | undefined>;
  readonly keep: (snapshot: Snapshot) => void;
  readonly changed: () => void;
}

/** Shows what comes; after a while without anything, what was stored. */
class Fallback implements SnapshotFilter {
  readonly #options: FallbackOptions;
  readonly #patience: Timer;
  #current: Snapshot | undefined;
  #stopped = false;

  constructor(options: FallbackOptions) {
    this.#options = options;
    this.#patience = options.runtime.timers.after(options.waitMs, () => void this.#fallBack());
  }

  get current(): Snapshot | undefined {
    return this.#current;
  }

  push(snapshot: Snapshot): void {
    this.#patience.cancel();
    const before = this.#current;
    if (before !== undefined && comparePositions(snapshot, before) < 0) {
      const { service, term, revision } = snapshot;
      this.#options.runtime.log('warn', 'the registry is behind what was stored of it, and not believed', {
        service,
        term,
        revision,
      });
      return;
    }
    if (!snapshot.stale) this.#options.keep(snapshot);
    this.#current = snapshot;
    this.#options.changed();
  }

  stop(): void {
    this.#stopped = true;
    this.#patience.cancel();
  }

  async #fallBack(): Promise<void> {
    const stored = await this.#options.load();
    if (stored === undefined || this.#stopped || this.#current !== undefined) return;
    const { service, ageMs } = stored;
    this.#options.runtime.log('warn', 'the registry does not answer: serving from the last known snapshot', {
      service,
      ageMs,
    });
    this.#current = stored;
    this.#options.changed();
  }
}

/** Saves the newest snapshot of one service, not more often than once a second. */
class Keeper {
  readonly #runtime: Runtime;
  readonly #path: string;
  #newest: Snapshot | undefined;
  #timer: Timer | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(runtime: Runtime, path: string) {
    this.#runtime = runtime;
    this.#path = path;
  }

  keep(snapshot: Snapshot): void {
    if (snapshot.instances.length === 0) return;
    this.#newest = snapshot;
    if (this.#timer !== undefined) return;
    this.#timer = this.#runtime.timers.after(saveEveryMs, () => {
      this.#timer = undefined;
      this.#save();
    });
    // The first one at once: the process may not live for a second.
    this.#save();
  }

  /** Saves what is not saved yet. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#save();
    await this.#saving;
  }

  #save(): void {
    const snapshot = this.#newest;
    if (snapshot === undefined) return;
    this.#newest = undefined;
    this.#saving = this.#saving.then(() => this.#saveNow(snapshot));
  }

  async #saveNow(snapshot: Snapshot): Promise<void> {
    try {
      await saveSnapshot(this.#runtime, this.#path, snapshot);
    } catch (error) {
      const { service } = snapshot;
      this.#runtime.log('warn', 'the snapshot of a service cannot be kept on disk', { service, error });
    }
  }
}

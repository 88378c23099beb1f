import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { Health, InstanceInit } from '../registry/instance.ts';
import { registryClosed } from '../registry/kept-registrations.ts';
import type { DesiredRegistration, Registry } from '../registry/registry.ts';
import { comparePositions, type Snapshot } from '../registry/snapshot.ts';
import { instance as checked, checkServiceName } from '../registry/validate-instance.ts';
import { Watcher } from '../registry/watcher.ts';
import { mergedSnapshot } from './merged-snapshot.ts';
import { MergedRegistration } from './merged-registration.ts';

/** How registries are joined. */
export interface MergeOptions {
  readonly runtime: Runtime;
  /** Whose description of an instance counts when several know it: that of the first in the list, or of the last. Default `first`. */
  readonly precedence?: 'first' | 'last';
  /** How long a watch waits for all registries before it begins with those that have answered. Default 1000. */
  readonly waitMs?: number;
}

/**
 * Joins different registries into one, for moving from one to another without losing an instance: what is registered
 * is registered in all, and what any of them knows is seen. A registry that cannot be asked takes nothing away: its
 * last snapshot stays, `stale`. One that cannot do a thing at all (`unimplemented`: DNS cannot register) is left out
 * of it. `close` closes them all.
 *
 * Not for the servers of one registry, which may be behind one another: those are `addresses` of `remoteRegistry`,
 * which believes one at a time. The same object twice, or two clients of one registry (see `Registry.places`), are refused: `invalid_argument` / `SAME_REGISTRY`.
 */
export function merge(registries: readonly Registry[], options: MergeOptions): Registry {
  if (registries.length === 0) throw badMerge('NO_REGISTRY', 'expected at least one registry, found none');
  if (new Set(registries).size < registries.length) {
    throw badMerge('SAME_REGISTRY', 'expected different registries, found one of them twice');
  }
  const shared = registries.flatMap(({ places = [] }) => [...new Set(places)]).find(isTwice);
  if (shared !== undefined) {
    throw badMerge('SAME_REGISTRY', `expected different registries, found two clients of one: ${shared}`);
  }
  const ordered = options.precedence === 'last' ? registries.toReversed() : registries;
  return new MergedRegistry(ordered, options);
}

class MergedRegistry implements Registry {
  readonly name: string;
  readonly #registries: readonly Registry[];
  readonly #options: MergeOptions;
  readonly #registrations = new Map<string, Promise<MergedRegistration>>();
  #closed = false;

  constructor(registries: readonly Registry[], options: MergeOptions) {
    this.name = registries.map(({ name }) => name).join('+');
    this.#registries = registries;
    this.#options = options;
  }

  get places(): readonly string[] {
    return this.#registries.flatMap(({ places = [] }) => places);
  }

  get problem(): HeddleError | undefined {
    return this.#registries.find(({ problem }) => problem !== undefined)?.problem;
  }

  async register(init: InstanceInit): Promise<DesiredRegistration> {
    const stated = checked(init);
    if (this.#closed) throw registryClosed();
    const parts = this.#able((registry) => registry.register(stated));
    const key = `${stated.service}/${stated.id}`;
    const known = this.#registrations.get(key);
    // Each registry knows that it is the same statement; so does this one.
    if (known !== undefined) {
      await parts;
      return known;
    }
    const made = parts.then((all) => new MergedRegistration(all));
    this.#registrations.set(key, made);
    made.catch(() => this.#registrations.delete(key));
    return made;
  }

  async deregister(service: string, id: string): Promise<void> {
    this.#registrations.delete(`${service}/${id}`);
    await this.#able((registry) => registry.deregister(service, id));
  }

  /** Rejects only if no registry could be told: the others are told by the next renewal. */
  async heartbeat(service: string, id: string, health?: Health): Promise<void> {
    const told = await Promise.allSettled(
      this.#registries.map((registry) => registry.heartbeat(service, id, health)),
    );
    firstOf(told);
  }

  async instances(service: string): Promise<Snapshot> {
    checkServiceName(service);
    const found = await Promise.allSettled(this.#registries.map((registry) => registry.instances(service)));
    firstOf(found);
    const parts = found.map((each) => (each.status === 'fulfilled' ? each.value : undefined));
    return mergedSnapshot(service, parts);
  }

  watch(service: string, signal?: AbortSignal): AsyncIterableIterator<Snapshot> {
    if (this.#closed) throw registryClosed();
    checkServiceName(service);
    return mergedWatch(service, this.#registries, this.#options, signal);
  }

  async services(): Promise<readonly string[]> {
    const found = await Promise.allSettled(this.#registries.map((registry) => registry.services()));
    firstOf(found);
    const names = found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    return [...new Set(names)].toSorted();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#registries.map((registry) => registry.close()));
  }

  /** Does it in all registries that can; rejects with the first failure, once all have tried. */
  async #able<T>(work: (registry: Registry) => Promise<T>): Promise<T[]> {
    const done = await Promise.allSettled(this.#registries.map(work));
    const values: T[] = [];
    const failures: HeddleError[] = [];
    for (const each of done) {
      if (each.status === 'fulfilled') values.push(each.value);
      else failures.push(HeddleError.from(each.reason));
    }
    const failure = failures.find(({ code }) => code !== 'unimplemented') ?? failures[0];
    const isFatal = failure !== undefined && (values.length === 0 || failure.code !== 'unimplemented');
    if (isFatal) throw failure;
    return values;
  }
}

/** Throws the first failure if all have failed. */
function firstOf(settled: readonly PromiseSettledResult<unknown>[]): void {
  if (settled.some(({ status }) => status === 'fulfilled')) return;
  for (const each of settled) if (each.status === 'rejected') throw HeddleError.from(each.reason);
}

/** Begins when all have been heard, or some after a while; then one snapshot after every change of any. */
function mergedWatch(
  service: string,
  registries: readonly Registry[],
  { runtime, waitMs = 1000 }: MergeOptions,
  signal: AbortSignal | undefined,
): Watcher<Snapshot> {
  const parts: (Snapshot | undefined)[] = registries.map(() => undefined);
  let shown: Snapshot | undefined;
  let patience: Timer | undefined;
  const show = (): void => {
    if (parts.every((part) => part === undefined)) return;
    if (patience !== undefined && parts.includes(undefined)) return;
    patience?.cancel();
    patience = undefined;
    const next = mergedSnapshot(service, parts);
    const isSame =
      shown !== undefined &&
      comparePositions(next, shown) === 0 &&
      next.stale === shown.stale &&
      next.heldBack === shown.heldBack;
    if (isSame) return;
    shown = next;
    watcher.poke();
  };
  const leaving = new AbortController();
  const watcher: Watcher<Snapshot> = new Watcher(
    () => shown,
    () => {
      patience?.cancel();
      leaving.abort();
    },
    signal,
  );
  if (signal?.aborted === true) return watcher;
  patience = runtime.timers.after(waitMs, () => {
    patience = undefined;
    show();
  });
  const follow = async (at: number, registry: Registry): Promise<void> => {
    for await (const snapshot of registry.watch(service, leaving.signal)) {
      parts[at] = snapshot;
      show();
    }
  };
  const followed = registries.map((registry, at) => follow(at, registry));
  // A watch ends when its registry is closed; then nothing is left to hear of the service there.
  void Promise.allSettled(followed).then(() => watcher.end());
  return watcher;
}

function isTwice(place: string, at: number, all: readonly string[]): boolean {
  return all.indexOf(place) !== at;
}

function badMerge(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason, message: `merge: ${message}`, sent: false });
}

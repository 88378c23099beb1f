import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import type { History } from './history.ts';
import { type Instance, sameInstance } from './instance.ts';
import { comparePositions, type Position, type Snapshot } from './snapshot.ts';
import { Watcher } from './watcher.ts';

/** All instances of a service at one moment, as a backend gave them; in any order. */
export interface FeedState {
  readonly instances: readonly Instance[];
  /** For a backend that counts its changes. Left out, the feed counts them. */
  readonly position?: Position;
}

/**
 * Reads a service's state and follows it: the first state as soon as possible, then one whenever it may have changed
 * or the backend has shown that it has not. It goes on until it throws; ending is a failure too. It has to watch for
 * silence itself, and to end when the call is cancelled. `known` is what was known last, for a backend that can go on
 * from there.
 */
export type Follow = (call: Call, known: FeedState | undefined) => AsyncIterable<FeedState>;

/** What a feed works with. */
export interface StateFeedOptions {
  readonly runtime: Runtime;
  readonly service: string;
  readonly follow: Follow;
  readonly history: History;
  /** Hears why the backend could not be followed, and `undefined` when it can be. */
  readonly onProblem: (problem: HeddleError | undefined) => void;
  /** The last reader has left, and the feed has stopped for good. */
  readonly onIdle: () => void;
}

const firstBackoffMs = 200;
const longestBackoffMs = 3000;

/**
 * One service's watch of a backend, for any number of readers in this process. It begins at once and goes on for ever:
 * whatever breaks it, the backend is followed anew after a back-off with full jitter. One break is not told; when
 * following fails again, what is known becomes `stale`.
 */
export class StateFeed {
  readonly #options: StateFeedOptions;
  readonly #watchers = new Set<Watcher<Snapshot>>();
  #snapshot: Snapshot | undefined;
  #known: FeedState | undefined;
  #heardAtMs = 0;
  #failures = 0;
  #call: Call | undefined;
  #wake: (() => void) | undefined;
  #stopped = false;

  constructor(options: StateFeedOptions) {
    this.#options = options;
    void this.#run();
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

  /** Ends all readers. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const watcher of this.#watchers) watcher.end();
    this.#call?.cancel(nobodyWatches());
    this.#wake?.();
    this.#options.onIdle();
  }

  #handOut(): Snapshot | undefined {
    const snapshot = this.#snapshot;
    if (snapshot?.stale !== true) return snapshot;
    return { ...snapshot, ageMs: this.#options.runtime.clock.nowMs() - this.#heardAtMs };
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const problem = await this.#follow();
      if (this.#stopped) return;
      this.#failures += 1;
      this.#options.onProblem(problem);
      const { service, runtime } = this.#options;
      const fields = { service, reason: problem.reason, error: problem.message };
      if (this.#failures === 2) runtime.log('warn', 'the registry cannot be watched', fields);
      if (this.#failures >= 2 && this.#snapshot?.stale === false)
        this.#show({ ...this.#snapshot, stale: true });
      await this.#backOff();
    }
  }

  /** Follows until that fails: says why. */
  async #follow(): Promise<HeddleError> {
    const call = Call.root(this.#options.runtime);
    this.#call = call;
    try {
      for await (const state of this.#options.follow(call, this.#known)) {
        if (this.#stopped) break;
        this.#apply(state);
      }
      return call.cancelled ?? ended();
    } catch (thrown) {
      return call.cancelled ?? HeddleError.from(thrown);
    } finally {
      call.cancel(ended());
      call.end();
    }
  }

  #apply(state: FeedState): void {
    const { instances, position } = state;
    const { runtime, service, history, onProblem } = this.#options;
    const before = this.#snapshot;
    if (before !== undefined && position !== undefined && comparePositions(position, before) < 0)
      throw wentBack(service, position, before);
    const isSameList = instances === this.#known?.instances;
    this.#known = state;
    this.#failures = 0;
    this.#heardAtMs = runtime.clock.nowMs();
    onProblem(undefined);
    const next = isSameList && before ? before.instances : settled(before?.instances ?? [], instances);
    const isNews = next !== before?.instances;
    if (!isNews && !before.stale) return;
    const at = isNews ? (position ?? history.next()) : (position ?? before);
    this.#show({
      service,
      term: at.term,
      revision: at.revision,
      ageMs: 0,
      stale: false,
      source: 'registry',
      instances: next,
      heldBack: 0,
    });
  }

  #show(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    for (const watcher of this.#watchers) watcher.poke();
  }

  #backOff(): Promise<void> {
    const { random, timers } = this.#options.runtime;
    const longestMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures, 16));
    return new Promise((resolve) => {
      const timer = timers.after(longestMs * random.float(), resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

/** The instances in the order that snapshots have; the same list if it has it already. */
export function sortedById(instances: readonly Instance[]): readonly Instance[] {
  const isSorted = instances.every((instance, at) => at === 0 || (instances[at - 1]?.id ?? '') < instance.id);
  return isSorted ? instances : instances.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The instances sorted by id; those that did not change are the same objects, and so is the list if none did. */
function settled(before: readonly Instance[], found: readonly Instance[]): readonly Instance[] {
  const known = new Map(before.map((instance) => [instance.id, instance]));
  const next = sortedById(
    found.map((instance) => {
      const old = known.get(instance.id);
      return old === instance || (old !== undefined && sameInstance(old, instance)) ? old : instance;
    }),
  );
  const isSame = next.length === before.length && next.every((instance, at) => instance === before[at]);
  return isSame ? before : next;
}

function wentBack(service: string, to: Position, from: Position): HeddleError {
  const message = `the registry showed "${service}" at ${show(to)} after ${show(from)}: it is behind, and not believed`;
  return new HeddleError({ code: 'unavailable', reason: 'STALE_REGISTRY', message });
}

function show({ term, revision }: Position): string {
  return `term ${term} revision ${revision}`;
}

function nobodyWatches(): HeddleError {
  return new HeddleError({ code: 'cancelled', reason: 'WATCH_ENDED', message: 'nobody watches' });
}

function ended(): HeddleError {
  const message = 'the registry ended the watch, as it does when it shuts down';
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_ENDED', message });
}

import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import { type Place, placeText } from '../place/place.ts';
import type { ConfigStore } from '../store/config-store.ts';
import { follow } from '../store/follow.ts';
import type { WakeListener } from '../store/told-wakes.ts';
import type { ConfigVersion } from '../version/version.ts';

/** How many versions of a place are kept at hand for those that are a little behind. */
const keptVersions = 20;

/** A place that is followed for all who watch it: the store is asked once, however many they are. */
interface Followed {
  readonly call: Call;
  readonly listeners: Set<WakeListener>;
  /** The newest, without a gap. */
  versions: readonly ConfigVersion[];
  /** How far it is; undefined until that is known. */
  head: number | undefined;
}

/** Shares what is new in a store among many watches. A place is followed for as long as anybody watches it. */
export class PlaceHub {
  readonly #runtime: Runtime;
  readonly #store: ConfigStore;
  readonly #places = new Map<string, Followed>();
  #watches = 0;

  constructor(runtime: Runtime, store: ConfigStore) {
    this.#runtime = runtime;
    this.#store = store;
  }

  /** Watches at the moment. */
  get watches(): number {
    return this.#watches;
  }

  /** Wakes the listener whenever the place may have something new. Returns what ends that. */
  watch(place: Place, listener: WakeListener): () => void {
    const text = placeText(place);
    const followed = this.#places.get(text) ?? this.#begin(place);
    followed.listeners.add(listener);
    this.#watches += 1;
    return () => {
      this.#watches -= 1;
      followed.listeners.delete(listener);
      if (followed.listeners.size > 0 || this.#places.get(text) !== followed) return;
      this.#places.delete(text);
      followed.call.cancel(notWatched());
    };
  }

  /** Versions above `after` that are at hand; empty if the next one is not. */
  after(place: Place, after: number): readonly ConfigVersion[] {
    const versions = this.#places.get(placeText(place))?.versions ?? [];
    const at = versions.findIndex(({ version }) => version === after + 1);
    return at === -1 ? [] : versions.slice(at);
  }

  /** How far the place is; undefined while that is not known. */
  headOf(place: Place): number | undefined {
    return this.#places.get(placeText(place))?.head;
  }

  /** Ends all watches. */
  close(error: HeddleError): void {
    for (const { call, listeners } of this.#places.values()) {
      call.cancel(error);
      for (const { fail } of listeners) fail(error);
    }
  }

  #begin(place: Place): Followed {
    const text = placeText(place);
    const call = Call.root(this.#runtime);
    const followed: Followed = { call, listeners: new Set(), versions: [], head: undefined };
    this.#places.set(text, followed);
    this.#run(place, followed).catch((thrown: unknown) => {
      if (call.cancelled !== undefined) return;
      // It cannot be begun: whoever watches comes again.
      if (this.#places.get(text) === followed) this.#places.delete(text);
      for (const { fail } of followed.listeners) fail(HeddleError.from(thrown));
    });
    return followed;
  }

  async #run(place: Place, followed: Followed): Promise<void> {
    try {
      const head = await this.#store.head(place);
      followed.call.throwIfCancelled();
      followed.head = head?.version ?? 0;
      followed.versions = head === undefined ? [] : [head];
      for (const { wake } of followed.listeners) wake();
      for await (const version of follow(this.#store, place, followed.head, followed.call, {
        runtime: this.#runtime,
      })) {
        followed.versions = [...followed.versions, version].slice(-keptVersions);
        followed.head = version.version;
        for (const { wake } of followed.listeners) wake();
      }
    } finally {
      followed.call.end();
    }
  }
}

function notWatched(): HeddleError {
  return new HeddleError({
    code: 'cancelled',
    reason: 'NOT_WATCHED',
    message: 'nobody watches this place any more',
  });
}

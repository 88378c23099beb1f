import type { Call, HeddleError } from '@heddle/kernel';
import { type Place, placeText, readPlace } from '../place/place.ts';
import type { ConfigStore } from '../store/config-store.ts';
import { toldWakes, type WakeListener } from '../store/told-wakes.ts';
import { versionConflict } from '../store/version-conflict.ts';
import { type ConfigVersion, readVersion, versionText } from '../version/version.ts';

/** A store that forgets all with its process, for tests. It keeps texts, as the real ones do, and can be cut off. */
export class MemoryStore implements ConfigStore {
  readonly name = 'memory';
  readonly #logs = new Map<string, string[]>();
  readonly #listeners = new Set<WakeListener>();
  #cut: HeddleError | undefined;

  /** Whoever asks gets this error, and whoever listens is cut off; undefined: all is well again. */
  cut(error: HeddleError | undefined): void {
    this.#cut = error;
    if (error !== undefined) for (const { fail } of this.#listeners) fail(error);
  }

  async head(place: Place): Promise<ConfigVersion | undefined> {
    const last = this.#log(place).at(-1);
    return last === undefined ? undefined : readVersion(last, 'memory');
  }

  async read(place: Place, after: number, limit: number): Promise<readonly ConfigVersion[]> {
    return this.#log(place)
      .slice(after, after + limit)
      .map((text) => readVersion(text, 'memory'));
  }

  async append(version: ConfigVersion): Promise<void> {
    const log = this.#log(version.place);
    if (log.length !== version.version - 1) throw versionConflict(version);
    log.push(versionText(version));
    this.#logs.set(placeText(version.place), log);
    this.#wake();
  }

  async places(): Promise<readonly Place[]> {
    if (this.#cut !== undefined) throw this.#cut;
    return [...this.#logs.keys()].toSorted().map(readPlace);
  }

  wakes(_place: Place, call: Call): AsyncIterable<void> {
    return toldWakes(call, (listener) => {
      this.#listeners.add(listener);
      if (this.#cut !== undefined) listener.fail(this.#cut);
      return () => this.#listeners.delete(listener);
    });
  }

  async close(): Promise<void> {}

  #log(place: Place): string[] {
    if (this.#cut !== undefined) throw this.#cut;
    return this.#logs.get(placeText(place)) ?? [];
  }

  #wake(): void {
    for (const { wake } of this.#listeners) wake();
  }
}

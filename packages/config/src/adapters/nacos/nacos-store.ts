import { type Call, HeddleError, type Runtime, sleep } from '@heddle/kernel';
import { isPlace, type Place, placeText, readPlace } from '../../place/place.ts';
import type { ConfigStore } from '../../store/config-store.ts';
import { toldWakes } from '../../store/told-wakes.ts';
import { versionConflict } from '../../store/version-conflict.ts';
import { type ConfigVersion, readVersion, versionText } from '../../version/version.ts';
import { NacosEntries, type NacosEntriesOptions } from './nacos-entries.ts';

/** Where the store is in Nacos. */
export interface NacosStoreOptions extends NacosEntriesOptions {
  /** Before the names of all entries. Default `heddle`. */
  readonly prefix?: string;
}

/** Questions at a time, when many versions are read. */
const atOnce = 16;
// In a cluster, the list of a place may reach a server before the version that it names.
const patienceMs = 5000;

/**
 * The config centre in Nacos (2.x): an entry for each version under a name of its own, and for each place a list of those
 * that count. Of two that add at once, the first on the list has added; the other takes its entry away again.
 */
export class NacosStore implements ConfigStore {
  readonly name = 'nacos';
  readonly #runtime: Runtime;
  readonly #entries: NacosEntries;
  readonly #prefix: string;

  constructor({ prefix = 'heddle', ...options }: NacosStoreOptions) {
    this.#runtime = options.runtime;
    this.#entries = new NacosEntries(options);
    this.#prefix = prefix;
  }

  async head(place: Place): Promise<ConfigVersion | undefined> {
    const ids = await this.#entries.list(this.#listOf(place));
    const last = ids.at(-1);
    return last === undefined ? undefined : this.#version(place, ids.length, last);
  }

  async read(place: Place, after: number, limit: number): Promise<readonly ConfigVersion[]> {
    const ids = (await this.#entries.list(this.#listOf(place))).slice(after, after + limit);
    const versions: ConfigVersion[] = [];
    for (let at = 0; at < ids.length; at += atOnce)
      versions.push(
        ...(await Promise.all(
          ids.slice(at, at + atOnce).map((id, index) => this.#version(place, after + at + index + 1, id)),
        )),
      );
    return versions;
  }

  async append(version: ConfigVersion): Promise<void> {
    const { place, version: number } = version;
    const before = await this.#entries.list(this.#listOf(place));
    if (before.length !== number - 1) throw versionConflict(version);
    if (before.length === 0) await this.#know(place);
    const id = this.#runtime.random.uuid().replaceAll('-', '').slice(0, 12);
    const entry = this.#nameOf(place, number, id);
    await this.#entries.put(entry, versionText(version));
    const found = await this.#entries.add(this.#listOf(place), before, id);
    if (found[number - 1] === id) return;
    // It is on no list, so nobody reads it: whether it is taken away does not matter.
    await this.#entries.remove(entry).catch(() => {});
    throw versionConflict(version);
  }

  async places(): Promise<readonly Place[]> {
    const texts = await this.#entries.list(this.#places);
    return [...new Set(texts)].filter(isPlace).toSorted().map(readPlace);
  }

  wakes(place: Place, call: Call): AsyncIterable<void> {
    return toldWakes(call, (listener) => this.#entries.listen(this.#listOf(place), listener));
  }

  async close(): Promise<void> {
    this.#entries.close();
  }

  /** Puts a place among the known ones. */
  async #know(place: Place): Promise<void> {
    const text = placeText(place);
    for (let known = await this.#entries.list(this.#places); !known.includes(text); )
      known = await this.#entries.add(this.#places, known, text);
  }

  async #version(place: Place, number: number, id: string): Promise<ConfigVersion> {
    const name = this.#nameOf(place, number, id);
    const { clock, timers } = this.#runtime;
    for (const until = clock.nowMs() + patienceMs; ; await sleep(timers, 20)) {
      const text = await this.#entries.get(name);
      if (text !== undefined) return readVersion(text, `Nacos, ${name}`);
      if (clock.nowMs() > until) throw missing(name);
    }
  }

  get #places(): string {
    return `${this.#prefix}.places`;
  }

  /** A colon is no part of a place, so no list has the name of another's version. */
  #listOf(place: Place): string {
    return `${this.#prefix}:${placeText(place).replaceAll('/', ':')}`;
  }

  #nameOf(place: Place, number: number, id: string): string {
    return `${this.#listOf(place)}:${number}:${id}`;
  }
}

function missing(name: string): HeddleError {
  const message = `Nacos, ${name}: the list of its place names it, and it is not there`;
  return new HeddleError({ code: 'data_loss', reason: 'VERSION_MISSING', message });
}

import { type Call, HeddleError, type Runtime, sleep } from '@heddle/kernel';
import { type ConsulAnswer, ConsulClient, type ConsulClientOptions } from '@heddle/discovery/clients';
import { isPlace, type Place, placeText, readPlace } from '../../place/place.ts';
import type { ConfigStore } from '../../store/config-store.ts';
import { versionConflict } from '../../store/version-conflict.ts';
import { type ConfigVersion, readVersion, versionText } from '../../version/version.ts';

/** Where the store is in Consul. */
export interface ConsulStoreOptions extends Omit<ConsulClientOptions, 'timeoutMs'> {
  /** Before all keys, which are `<prefix>/<place>/<version>`. Default `config`. */
  readonly prefix?: string;
  /** Deadline of each request, beyond the time for which one waits for news. Default 6000. */
  readonly timeoutMs?: number;
}

/** For how long a question waits for news; Consul adds up to a sixteenth. */
const waitMs = 30_000;
// An agent that answers at once though nothing is new must not be asked in a loop.
const leastMs = 50;
/** Questions at a time, when many versions are read. */
const atOnce = 16;

/** The config centre in Consul's key-value store: a key for each version, made once and never changed. */
export class ConsulStore implements ConfigStore {
  readonly name = 'consul';
  readonly #runtime: Runtime;
  readonly #client: ConsulClient;
  readonly #prefix: string;

  constructor({ prefix = 'config', timeoutMs = 6000, ...options }: ConsulStoreOptions) {
    this.#runtime = options.runtime;
    this.#client = new ConsulClient({ ...options, timeoutMs });
    this.#prefix = prefix;
  }

  async head(place: Place): Promise<ConfigVersion | undefined> {
    const last = (await this.#keys(this.#of(place))).at(-1);
    return last === undefined ? undefined : this.#value(last);
  }

  async read(place: Place, after: number, limit: number): Promise<readonly ConfigVersion[]> {
    const first = this.#key(place, after + 1);
    const keys = (await this.#keys(this.#of(place))).filter((key) => key >= first).slice(0, limit);
    const versions: ConfigVersion[] = [];
    for (let at = 0; at < keys.length; at += atOnce)
      versions.push(...(await Promise.all(keys.slice(at, at + atOnce).map((key) => this.#value(key)))));
    return versions;
  }

  async append(version: ConfigVersion): Promise<void> {
    const { place, version: number } = version;
    const value = Buffer.from(versionText(version)).toString('base64');
    const before = { KV: { Verb: 'get', Key: this.#key(place, number - 1) } };
    const put = { KV: { Verb: 'cas', Key: this.#key(place, number), Index: 0, Value: value } };
    try {
      const json = number === 1 ? [put] : [before, put];
      await this.#client.ask({ method: 'PUT', path: '/v1/txn', json });
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      // 409: the key is there already, or the one before it is not.
      throw /answered 409/.test(error.message) ? versionConflict(version) : error;
    }
  }

  async places(): Promise<readonly Place[]> {
    const texts = (await this.#keys(`${this.#prefix}/`)).map((key) =>
      key
        .slice(this.#prefix.length + 1)
        .split('/')
        .slice(0, 3)
        .join('/'),
    );
    return [...new Set(texts)].filter(isPlace).toSorted().map(readPlace);
  }

  /** Blocking queries: each asks for what is newer than an index, and waits for it. */
  async *wakes(place: Place, call: Call): AsyncGenerator<void, void> {
    for (let index = 0; ; ) {
      call.throwIfCancelled();
      const askedMs = this.#runtime.clock.nowMs();
      const answer = await this.#list(this.#of(place), index, call);
      if (answer.index !== index || index === 0) yield;
      else if (this.#runtime.clock.nowMs() - askedMs < leastMs)
        await sleep(this.#runtime.timers, leastMs, call);
      // An index that goes back, or that is 0, is none to wait from.
      index = answer.index < index ? 0 : Math.max(1, answer.index);
    }
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  async #keys(prefix: string): Promise<readonly string[]> {
    return JSON.parse((await this.#list(prefix, 0)).text) as string[];
  }

  /** The keys under a prefix, in order; a prefix without any is no error. */
  async #list(prefix: string, index: number, call?: Call): Promise<ConsulAnswer> {
    const waiting = index === 0 ? {} : { index: String(index), wait: `${waitMs}ms` };
    const timeoutMs = index === 0 ? this.#client.timeoutMs : waitMs + waitMs / 16 + this.#client.timeoutMs;
    return this.#client.ask(
      { method: 'GET', path: this.#path(prefix), query: { keys: '', ...waiting }, timeoutMs, absent: '[]' },
      call,
    );
  }

  async #value(key: string): Promise<ConfigVersion> {
    const { text } = await this.#client.ask({ method: 'GET', path: this.#path(key), query: { raw: '' } });
    return readVersion(text, `Consul, ${key}`);
  }

  #path(key: string): string {
    return `/v1/kv/${key.split('/').map(encodeURIComponent).join('/')}`;
  }

  #of(place: Place): string {
    return `${this.#prefix}/${placeText(place)}/`;
  }

  /** Ten digits, so that the order of the keys is that of the versions. */
  #key(place: Place, version: number): string {
    return `${this.#of(place)}${String(version).padStart(10, '0')}`;
  }
}

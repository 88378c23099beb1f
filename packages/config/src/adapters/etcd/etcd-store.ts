import type { Call, Runtime } from '@heddle/kernel';
import { EtcdClient, type EtcdClientOptions, etcdRange, etcdWatch } from '@heddle/discovery/clients';
import { isPlace, type Place, placeText, readPlace } from '../../place/place.ts';
import type { ConfigStore } from '../../store/config-store.ts';
import { versionConflict } from '../../store/version-conflict.ts';
import { type ConfigVersion, readVersion, versionText } from '../../version/version.ts';

/** Where the store is in etcd. */
export interface EtcdStoreOptions extends Omit<EtcdClientOptions, 'timeoutMs'> {
  /** Before all keys, which are `<prefix>/<place>/<version>`. Default `/config`. */
  readonly prefix?: string;
  /** Deadline of each request. Default 6000. */
  readonly timeoutMs?: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The config centre in etcd (3.4 and newer): a key for each version, made once and never changed. */
export class EtcdStore implements ConfigStore {
  readonly name = 'etcd';
  readonly #runtime: Runtime;
  readonly #client: EtcdClient;
  readonly #prefix: string;

  constructor({ prefix = '/config', timeoutMs = 6000, ...options }: EtcdStoreOptions) {
    this.#runtime = options.runtime;
    this.#client = new EtcdClient({ ...options, timeoutMs });
    this.#prefix = prefix;
  }

  async head(place: Place): Promise<ConfigVersion | undefined> {
    const { kvs } = await this.#client.range({ ...this.#of(place), sortOrder: 2, limit: 1n });
    const [last] = kvs;
    return last && readVersion(decoder.decode(last.value), `etcd, ${decoder.decode(last.key)}`);
  }

  async read(place: Place, after: number, limit: number): Promise<readonly ConfigVersion[]> {
    const { rangeEnd } = this.#of(place);
    const { kvs } = await this.#client.range({
      key: this.#key(place, after + 1),
      rangeEnd,
      limit: BigInt(limit),
    });
    return kvs.map(({ key, value }) => readVersion(decoder.decode(value), `etcd, ${decoder.decode(key)}`));
  }

  async append(version: ConfigVersion): Promise<void> {
    const key = this.#key(version.place, version.version);
    const absent = { key, target: 1, targetUnion: { case: 'createRevision', value: 0n } } as const;
    const before = {
      key: this.#key(version.place, version.version - 1),
      target: 1,
      result: 1,
      targetUnion: { case: 'createRevision', value: 0n },
    } as const;
    const { succeeded } = await this.#client.txn({
      compare: version.version === 1 ? [absent] : [absent, before],
      success: [
        { request: { case: 'requestPut', value: { key, value: encoder.encode(versionText(version)) } } },
      ],
    });
    if (!succeeded) throw versionConflict(version);
  }

  async places(): Promise<readonly Place[]> {
    const { kvs } = await this.#client.range({ ...etcdRange(`${this.#prefix}/`), keysOnly: true });
    const texts = kvs.map(({ key }) =>
      decoder
        .decode(key)
        .slice(this.#prefix.length + 1)
        .split('/')
        .slice(0, 3)
        .join('/'),
    );
    return [...new Set(texts)].filter(isPlace).toSorted().map(readPlace);
  }

  async *wakes(place: Place, call: Call): AsyncGenerator<void, void> {
    for await (const { created, events } of etcdWatch(this.#runtime, this.#client, this.#of(place), 0n, call))
      if (created || events.length > 0) yield;
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #of(place: Place): ReturnType<typeof etcdRange> {
    return etcdRange(`${this.#prefix}/${placeText(place)}/`);
  }

  /** Ten digits, so that the order of the keys is that of the versions. */
  #key(place: Place, version: number): Uint8Array {
    return encoder.encode(`${this.#prefix}/${placeText(place)}/${String(version).padStart(10, '0')}`);
  }
}

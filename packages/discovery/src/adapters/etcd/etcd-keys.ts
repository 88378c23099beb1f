import type { Instance } from '../../registry/instance.ts';

/** Where the entries of a registry are. Pure. */
export class EtcdKeys {
  /** With a slash at its end. */
  readonly #root: string;

  /** `prefix` with or without a slash at its end; empty: etcd's own root. */
  constructor(prefix: string) {
    this.#root = prefix.endsWith('/') ? prefix : `${prefix}/`;
  }

  /** All entries. */
  get all(): EtcdRange {
    return etcdRange(this.#root);
  }

  /** The entries of a service. */
  ofService(service: string): EtcdRange {
    return etcdRange(`${this.#root}${service}/`);
  }

  /** An id that was made of an address stands as that: `<prefix>/<service>/<host:port>`. Others are escaped. */
  of({ service, id }: Pick<Instance, 'service' | 'id'>): Uint8Array {
    const address = id.startsWith(`${service}@`) ? id.slice(service.length + 1) : '';
    const name = /^[^/%\s]+:\d+$/.test(address) ? address : encodeURIComponent(id);
    return new TextEncoder().encode(`${this.#root}${service}/${name}`);
  }

  /** The service that a key belongs to; undefined for one that is none of ours. */
  serviceOf(key: Uint8Array): string | undefined {
    const text = new TextDecoder().decode(key);
    const [service, name] = text.slice(this.#root.length).split('/', 2);
    return text.startsWith(this.#root) && name !== undefined && name !== '' ? service : undefined;
  }
}

/** From `key` to before `rangeEnd`. */
export interface EtcdRange {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

/** All keys that begin with a text, which ends in ASCII. */
export function etcdRange(prefix: string): EtcdRange {
  const key = new TextEncoder().encode(prefix);
  const rangeEnd = key.slice();
  const last = rangeEnd.length - 1;
  rangeEnd[last] = (rangeEnd[last] ?? 0) + 1;
  return { key, rangeEnd };
}

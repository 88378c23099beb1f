import type { Runtime, Timer } from '@heddle/kernel';
import type { LeaseClient } from '../../../registry/lease-client.ts';
import { leaseLost, leaseSuperseded } from '../../../registry/lease-error.ts';
import { NacosClient, type NacosReach } from '../nacos-client.ts';
import { compareHolders, copyOf, decodeInstance } from '../nacos-instance.ts';
import { Publisher } from '../publisher.ts';

/** Cloned into a lease thread. */
export interface NacosLeaseOptions {
  readonly reach: NacosReach;
  readonly ttlMs: number;
  /** A number that the main thread changes whenever it has had its entries confirmed. */
  readonly alive: SharedArrayBuffer;
}

const lookMs = 250;

/**
 * Keeps entries by publishing copies of them on a connection of its own: an entry goes with its connection, which is
 * the main thread's, and the server drops that when it is silent. The copies go when the main thread is back, and when
 * nobody asks for them any more. See `LeaseModule`.
 */
export function openLeases(runtime: Runtime, options: NacosLeaseOptions): Pick<LeaseClient, 'renew'> {
  return new Copies(runtime, options);
}

class Copies {
  readonly #runtime: Runtime;
  readonly #options: NacosLeaseOptions;
  readonly #alive: Int32Array<SharedArrayBuffer>;
  #session: { readonly client: NacosClient; readonly publisher: Publisher } | undefined;
  #aliveThen = 0;
  #askedAtMs = 0;
  #look: Timer | undefined;

  constructor(runtime: Runtime, options: NacosLeaseOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#alive = new Int32Array(options.alive);
  }

  async renew(service: string, id: string, lease: string): Promise<void> {
    const { client, publisher } = this.#open();
    const { hosts = [] } = await client.query(service);
    const nowMs = this.#runtime.clock.wallMs();
    const entries = hosts.flatMap((host) => {
      const read = decodeInstance(service, host, nowMs);
      return read?.instance.id === id ? [{ host, read }] : [];
    });
    const own = entries.find(({ read }) => read.lease === lease);
    if (own === undefined) throw leaseLost(service, id);
    if (entries.some(({ read }) => read.lease !== lease && compareHolders(read, own.read) > 0)) {
      await publisher.remove(service, id);
      throw leaseSuperseded(service, id);
    }
    await publisher.set(service, id, copyOf(own.host));
  }

  #open(): { readonly client: NacosClient; readonly publisher: Publisher } {
    this.#askedAtMs = this.#runtime.clock.nowMs();
    this.#aliveThen = Atomics.load(this.#alive, 0);
    if (this.#session !== undefined) return this.#session;
    const { reach } = this.#options;
    const client: NacosClient = new NacosClient(
      this.#runtime,
      reach,
      (connection) => void publisher.republish(connection),
    );
    const publisher: Publisher = new Publisher(client);
    this.#session = { client, publisher };
    this.#lookLater();
    return this.#session;
  }

  #lookLater(): void {
    this.#look = this.#runtime.timers.after(lookMs, () => {
      const isBack = Atomics.load(this.#alive, 0) !== this.#aliveThen;
      const isForgotten = this.#runtime.clock.nowMs() - this.#askedAtMs > this.#options.ttlMs;
      if (!isBack && !isForgotten) this.#lookLater();
      else this.#close();
    });
  }

  /** With the connection go the copies. */
  #close(): void {
    this.#look?.cancel();
    this.#session?.client.close();
    this.#session = undefined;
  }
}

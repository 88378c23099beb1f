import { type Address, HeddleError, type Runtime } from '@heddle/kernel';
import type { Health, InstanceInit } from '../registry/instance.ts';
import type { LeaseKeeper } from '../registry/lease-keeper.ts';
import { KeptRegistrations, registryClosed } from '../registry/kept-registrations.ts';
import type { DesiredRegistration, Registry } from '../registry/registry.ts';
import type { Snapshot } from '../registry/snapshot.ts';
import { checkServiceName } from '../registry/validate-instance.ts';
import { overHttp2 } from './over-http2.ts';
import { instancesPath, membersOf } from './protocol.ts';
import { type Reach, RegistryServers } from './registry-servers.ts';
import { remoteLeases } from './remote-leases.ts';
import { ServiceFeed } from './service-feed.ts';
import { ServiceView } from './service-view.ts';

/** How a registry server is used. */
export interface RemoteRegistryOptions {
  readonly runtime: Runtime;
  /** Servers of one registry, at least one; the first that answers is used. They must share their data. */
  readonly addresses: readonly Address[];
  /** Sent with every request, if the server asks for one. */
  readonly token?: string;
  /** Of what this process registers. Default 10000 (see `EmbeddedRegistryOptions.ttlMs`); 1000 to 3600000. */
  readonly ttlMs?: number;
  /**
   * Deadline of each request, and of the beginning of a watch. Default 6000: longer than a registry that takes 5 s per
   * answer, so that one is slow and not lost; shorter than the lease.
   */
  readonly timeoutMs?: number;
  /** How to reach an address. Default: HTTP/2 over `runtime.net`, so that all watches share a connection. */
  readonly reach?: Reach;
  /** Keeps the leases while this thread cannot (see `LeaseKeeper`). Default: nothing does. Closed with the registry. */
  readonly keeper?: LeaseKeeper;
}

/** A registry in another process, which serves `registryService`. Asks nothing until it is used. */
export function remoteRegistry(options: RemoteRegistryOptions): Registry {
  return new RemoteRegistry(options);
}

class RemoteRegistry implements Registry {
  readonly name = 'remote';
  readonly #runtime: Runtime;
  readonly #servers: RegistryServers;
  readonly #registrations: KeptRegistrations;
  readonly #keeper: LeaseKeeper | undefined;
  readonly #feeds = new Map<string, ServiceFeed>();
  #closed = false;

  constructor(options: RemoteRegistryOptions) {
    const { runtime, addresses, token, ttlMs = 10_000, timeoutMs = 6000 } = options;
    const { reach = overHttp2(runtime), keeper } = options;
    this.#runtime = runtime;
    this.#servers = new RegistryServers({ runtime, addresses, token, timeoutMs, reach });
    this.#keeper = keeper;
    const leases = remoteLeases(this.#servers);
    this.#registrations = new KeptRegistrations({ runtime, leases, ttlMs, keeper });
  }

  get problem(): HeddleError | undefined {
    return this.#servers.problem;
  }

  register(init: InstanceInit): Promise<DesiredRegistration> {
    return this.#registrations.register(init);
  }

  deregister(service: string, id: string): Promise<void> {
    return this.#registrations.deregister(service, id);
  }

  heartbeat(service: string, id: string, health?: Health): Promise<void> {
    return this.#registrations.heartbeat(service, id, health);
  }

  async instances(service: string): Promise<Snapshot> {
    this.#check(service);
    const answer = await this.#servers.ask({ method: 'GET', path: instancesPath(service) });
    const view = new ServiceView(service);
    view.apply(answer);
    const { instances, position = { term: 0, revision: 0 } } = view;
    return { service, ...position, ageMs: 0, stale: false, source: 'registry', instances, heldBack: 0 };
  }

  watch(service: string, signal?: AbortSignal): AsyncIterableIterator<Snapshot> {
    this.#check(service);
    let feed = this.#feeds.get(service);
    if (feed === undefined) {
      feed = new ServiceFeed(service, this.#runtime, this.#servers, () => this.#feeds.delete(service));
      this.#feeds.set(service, feed);
    }
    return feed.watch(signal);
  }

  async services(): Promise<readonly string[]> {
    if (this.#closed) throw registryClosed();
    const { services } = membersOf(await this.#servers.ask({ method: 'GET', path: '/v1/services' }));
    if (Array.isArray(services) && services.every((name) => typeof name === 'string')) return services;
    const message = 'expected a list of service names, found something else; is this a registry server?';
    throw new HeddleError({ code: 'unavailable', reason: 'NOT_A_REGISTRY', message });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const feed of this.#feeds.values()) feed.stop();
    await this.#registrations.close();
    this.#keeper?.close();
    this.#servers.close();
  }

  #check(service: string): void {
    checkServiceName(service);
    if (this.#closed) throw registryClosed();
  }
}

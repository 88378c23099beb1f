import { type Call, HeddleError, type Runtime } from '@heddle/kernel';
import { History } from './history.ts';
import type { Health, InstanceInit } from './instance.ts';
import { KeptRegistrations, registryClosed } from './kept-registrations.ts';
import type { LeaseClient } from './lease-client.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import { isFairRefusal } from '../servers/server-group.ts';
import type { DesiredRegistration, Registry } from './registry.ts';
import type { Snapshot } from './snapshot.ts';
import { type FeedState, sortedById, StateFeed } from './state-feed.ts';
import { checkServiceName } from './validate-instance.ts';

/** What an adapter has to bring. What it leaves out, its backend cannot do: that rejects with `UNSUPPORTED`. */
export interface Backend {
  /** E.g. `etcd`. For people and metrics. */
  readonly name: string;
  /** See `Registry.places`. */
  readonly places?: readonly string[];
  /** Writing. */
  readonly leases?: LeaseClient;
  /** Asks once, with a deadline of its own. */
  find(service: string): Promise<FeedState>;
  /** See `Follow`. */
  follow(service: string, call: Call, known: FeedState | undefined): AsyncIterable<FeedState>;
  /** Names of the services that have instances, in any order, with a deadline of its own. */
  services?(): Promise<readonly string[]>;
  /** Lets go of all connections. Called once, after the last of the other calls. */
  close(): void;
}

/** How a backend is made a registry. */
export interface BackendRegistryOptions {
  readonly runtime: Runtime;
  /** The lease of what this process registers. Needed with `leases`. */
  readonly ttlMs?: number;
  /** Keeps the leases while this thread cannot. Closed with the registry. */
  readonly keeper?: LeaseKeeper | undefined;
  /** Positions of states that have none. Default: one of its own. */
  readonly history?: History;
}

/** The registry over a backend: registrations are kept, watches followed for ever, all the same for every adapter. */
export function backendRegistry(backend: Backend, options: BackendRegistryOptions): Registry {
  return new BackendRegistry(backend, options);
}

class BackendRegistry implements Registry {
  readonly name: string;
  readonly #backend: Backend;
  readonly #runtime: Runtime;
  readonly #history: History;
  readonly #registrations: KeptRegistrations | undefined;
  readonly #keeper: LeaseKeeper | undefined;
  readonly #feeds = new Map<string, StateFeed>();
  #problem: HeddleError | undefined;
  #closed = false;

  constructor(backend: Backend, options: BackendRegistryOptions) {
    const { runtime, ttlMs = 10_000, keeper, history = new History(runtime.clock) } = options;
    this.name = backend.name;
    this.#backend = backend;
    this.#runtime = runtime;
    this.#history = history;
    this.#keeper = keeper;
    const { leases } = backend;
    this.#registrations =
      leases && new KeptRegistrations({ runtime, leases: this.#noted(leases), ttlMs, keeper });
  }

  get places(): readonly string[] | undefined {
    return this.#backend.places;
  }

  get problem(): HeddleError | undefined {
    return this.#problem;
  }

  async register(init: InstanceInit): Promise<DesiredRegistration> {
    if (this.#registrations === undefined) throw this.#unsupported('register an instance');
    return this.#registrations.register(init);
  }

  async deregister(service: string, id: string): Promise<void> {
    if (this.#registrations === undefined) throw this.#unsupported('deregister an instance');
    return this.#registrations.deregister(service, id);
  }

  async heartbeat(service: string, id: string, health?: Health): Promise<void> {
    if (this.#registrations === undefined) throw this.#unsupported('take a heartbeat');
    return this.#registrations.heartbeat(service, id, health);
  }

  async instances(service: string): Promise<Snapshot> {
    this.#check(service);
    const found = await this.#noting(this.#backend.find(service));
    const { term, revision } = found.position ?? this.#history.now;
    const instances = sortedById(found.instances);
    return {
      service,
      term,
      revision,
      ageMs: 0,
      stale: false,
      source: 'registry',
      instances,
      heldBack: 0,
    };
  }

  watch(service: string, signal?: AbortSignal): AsyncIterableIterator<Snapshot> {
    this.#check(service);
    let feed = this.#feeds.get(service);
    if (feed === undefined) {
      feed = new StateFeed({
        runtime: this.#runtime,
        service,
        follow: (call, known) => this.#backend.follow(service, call, known),
        history: this.#history,
        onProblem: (problem) => {
          this.#problem = problem;
        },
        onIdle: () => this.#feeds.delete(service),
      });
      this.#feeds.set(service, feed);
    }
    return feed.watch(signal);
  }

  async services(): Promise<readonly string[]> {
    if (this.#backend.services === undefined) throw this.#unsupported('list services');
    if (this.#closed) throw registryClosed();
    const names = await this.#noting(this.#backend.services());
    return names.toSorted();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const feed of this.#feeds.values()) feed.stop();
    await this.#registrations?.close();
    this.#keeper?.close();
    this.#backend.close();
  }

  #noted(leases: LeaseClient): LeaseClient {
    return {
      put: (leased, fresh) => this.#noting(leases.put(leased, fresh)),
      renew: (...renewal) => this.#noting(leases.renew(...renewal)),
      remove: (...removal) => this.#noting(leases.remove(...removal)),
    };
  }

  /** A fair refusal says that the backend is well. */
  async #noting<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      this.#problem = undefined;
      return result;
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      this.#problem = isFairRefusal(error) ? undefined : error;
      throw error;
    }
  }

  #check(service: string): void {
    checkServiceName(service);
    if (this.#closed) throw registryClosed();
  }

  #unsupported(what: string): HeddleError {
    const message = `${this.name} cannot ${what}; use a registry that can, or its own tools`;
    return new HeddleError({ code: 'unimplemented', reason: 'UNSUPPORTED', message, sent: false });
  }
}

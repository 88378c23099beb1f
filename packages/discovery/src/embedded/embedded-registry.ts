import type { HeddleError, Runtime } from '@heddle/kernel';
import type { Health, InstanceInit } from '../registry/instance.ts';
import { KeptRegistrations, registryClosed } from '../registry/kept-registrations.ts';
import type { DesiredRegistration, Registry } from '../registry/registry.ts';
import type { Snapshot } from '../registry/snapshot.ts';
import { checkServiceName } from '../registry/validate-instance.ts';
import { Watcher } from '../registry/watcher.ts';
import { LeaseStore, type LeaseStoreOptions } from './lease-store.ts';

/** How an embedded registry is made. */
export interface EmbeddedRegistryOptions extends LeaseStoreOptions {
  /**
   * The lease of what this process registers in itself, and how long nothing is evicted after a pause. Default 10000:
   * a third of etcd's customary 30 s, since there is no quorum between a heartbeat and its answer.
   */
  readonly ttlMs?: number;
}

/**
 * The registry that needs nothing installed: in this process, durable in `runtime.disk`. To let other processes use
 * it, serve `registryService(registry)`. Rejects if the disk cannot be read or written, or what it holds is damaged.
 */
export async function embeddedRegistry(
  runtime: Runtime,
  options: EmbeddedRegistryOptions = {},
): Promise<EmbeddedRegistry> {
  const { ttlMs = 10_000, ...storeOptions } = options;
  const store = await LeaseStore.open(runtime, storeOptions, ttlMs);
  return new EmbeddedRegistry(runtime, store, ttlMs, () => store.close());
}

/** Made by `embeddedRegistry`. Several may share a store; each closes what was registered and watched through it. */
export class EmbeddedRegistry implements Registry {
  readonly name = 'embedded';
  /** What is behind it, for a server in front of it. */
  readonly store: LeaseStore;
  readonly #registrations: KeptRegistrations;
  readonly #watchers = new Set<{ end(): void }>();
  readonly #onClose: () => Promise<void>;
  #closed = false;

  constructor(runtime: Runtime, store: LeaseStore, ttlMs: number, onClose: () => Promise<void>) {
    this.store = store;
    this.#onClose = onClose;
    this.#registrations = new KeptRegistrations({ runtime, leases: store, ttlMs });
  }

  /** Why what was registered is not durable. */
  get problem(): HeddleError | undefined {
    return this.store.problem;
  }

  /** True from the beginning of `close`. */
  get closed(): boolean {
    return this.#closed;
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
    return this.store.freshSnapshot(service);
  }

  watch(service: string, signal?: AbortSignal): AsyncIterableIterator<Snapshot> {
    this.#check(service);
    let stopListening = (): void => {};
    const ended = (watcher: Watcher<Snapshot>): void => {
      stopListening();
      this.#watchers.delete(watcher);
    };
    const watcher = new Watcher(() => this.store.snapshot(service), ended, signal);
    if (signal?.aborted === true) return watcher;
    stopListening = this.store.changed.listen(service, () => watcher.poke());
    this.#watchers.add(watcher);
    return watcher;
  }

  /** For a server in front of it: what must end when the registry is closed. Returns a function that lets go of it. */
  track(watch: { end(): void }): () => void {
    this.#watchers.add(watch);
    return () => {
      this.#watchers.delete(watch);
    };
  }

  async services(): Promise<readonly string[]> {
    if (this.#closed) throw registryClosed();
    return this.store.services();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#registrations.close();
    for (const watcher of this.#watchers) watcher.end();
    await this.#onClose();
  }

  #check(service: string): void {
    checkServiceName(service);
    if (this.#closed) throw registryClosed();
  }
}

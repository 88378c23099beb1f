import { HeddleError, type Runtime } from '@heddle/kernel';
import type { Registry } from '../registry/registry.ts';
import { endpointsOf } from './endpoints.ts';
import type { EndpointListener, EndpointSnapshot, Resolver } from './endpoint-snapshot.ts';
import type { Target } from './target.ts';

/** Follows one watch and tells many listeners. */
export class RegistryResolver implements Resolver {
  readonly target: Extract<Target, { kind: 'discovery' }>;
  readonly #registry: Registry;
  readonly #runtime: Runtime;
  readonly #listeners = new Set<EndpointListener>();
  readonly #closing = new AbortController();
  #current: EndpointSnapshot | undefined;
  #ended: HeddleError | undefined;

  constructor(target: Extract<Target, { kind: 'discovery' }>, registry: Registry, runtime: Runtime) {
    this.target = target;
    this.#registry = registry;
    this.#runtime = runtime;
    void this.#follow();
  }

  get current(): EndpointSnapshot | undefined {
    return this.#current;
  }

  get problem(): HeddleError | undefined {
    return this.#ended ?? this.#registry.problem;
  }

  subscribe(listener: EndpointListener): () => void {
    // A wrapper of its own, so that one function may subscribe twice and leave once.
    const own: EndpointListener = (snapshot) => listener(snapshot);
    this.#listeners.add(own);
    if (this.#current !== undefined) own(this.#current);
    return () => {
      this.#listeners.delete(own);
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#closing.abort();
  }

  async #follow(): Promise<void> {
    const { service, subset } = this.target;
    try {
      for await (const snapshot of this.#registry.watch(service, this.#closing.signal)) {
        if (this.#closing.signal.aborted) return;
        this.#current = endpointsOf(snapshot, subset, this.#runtime.clock.nowMs());
        for (const listener of this.#listeners) listener(this.#current);
      }
      const message = `the registry was closed while "${this.target.text}" was resolved; endpoints no longer change`;
      this.#ended = new HeddleError({ code: 'unavailable', reason: 'REGISTRY_CLOSED', message, sent: false });
    } catch (thrown) {
      this.#ended = HeddleError.from(thrown);
      this.#runtime.log('error', 'the watch behind a resolver failed', {
        target: this.target.text,
        error: this.#ended,
      });
    }
  }
}

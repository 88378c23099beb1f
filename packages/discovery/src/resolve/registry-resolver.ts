import { HeddleError, type Runtime } from '@heddle/kernel';
import type { HealthView } from '../health/health-view.ts';
import type { Health, Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import type { Snapshot } from '../registry/snapshot.ts';
import { endpointsOf } from './endpoints.ts';
import type { EndpointListener, EndpointSnapshot, Resolver } from './endpoint-snapshot.ts';
import type { Subsetting } from './subsetting.ts';
import type { Target } from './target.ts';

/** What a `RegistryResolver` works with; see `ResolverOptions`. */
export interface RegistryResolverOptions {
  readonly runtime: Runtime;
  readonly panicShare: number;
  readonly subsetting?: Subsetting;
  readonly health?: HealthView;
  readonly onPanic?: (panic: boolean) => void;
}

/** Follows one watch, and the health that is known here, and tells many listeners. */
export class RegistryResolver implements Resolver {
  readonly target: Extract<Target, { kind: 'discovery' }>;
  readonly #registry: Registry;
  readonly #options: RegistryResolverOptions;
  readonly #stopHealth: (() => void) | undefined;
  readonly #listeners = new Set<EndpointListener>();
  readonly #closing = new AbortController();
  /** The last of the registry, and when it came. */
  #latest: { readonly snapshot: Snapshot; readonly atMs: number } | undefined;
  #current: EndpointSnapshot | undefined;
  #ended: HeddleError | undefined;

  constructor(
    target: Extract<Target, { kind: 'discovery' }>,
    registry: Registry,
    options: RegistryResolverOptions,
  ) {
    this.target = target;
    this.#registry = registry;
    this.#options = options;
    this.#stopHealth = options.health?.subscribe(() => this.#publish());
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
    this.#stopHealth?.();
    this.#closing.abort();
  }

  async #follow(): Promise<void> {
    const { runtime } = this.#options;
    try {
      for await (const snapshot of this.#registry.watch(this.target.service, this.#closing.signal)) {
        if (this.#closing.signal.aborted) return;
        this.#latest = { snapshot, atMs: runtime.clock.nowMs() };
        this.#publish();
      }
      const message = `the registry was closed while "${this.target.text}" was resolved; endpoints no longer change`;
      this.#ended = new HeddleError({ code: 'unavailable', reason: 'REGISTRY_CLOSED', message, sent: false });
    } catch (thrown) {
      this.#ended = HeddleError.from(thrown);
      runtime.log('error', 'the watch behind a resolver failed', {
        target: this.target.text,
        error: this.#ended,
      });
    }
  }

  #publish(): void {
    const { panicShare, subsetting, health } = this.#options;
    if (this.#latest === undefined || this.#closing.signal.aborted) return;
    const { snapshot, atMs } = this.#latest;
    const healthOf = (instance: Instance): Health => health?.healthOf(instance) ?? instance.health;
    const before = this.#current?.panic ?? false;
    const { subset } = this.target;
    this.#current = endpointsOf(snapshot, { subset, panicShare, subsetting, healthOf }, atMs);
    if (this.#current.panic !== before) this.#tellPanic(this.#current);
    for (const listener of this.#listeners) listener(this.#current);
  }

  #tellPanic({ panic, instances }: EndpointSnapshot): void {
    const { runtime, onPanic } = this.#options;
    const fields = { target: this.target.text, instances: instances.length };
    if (panic) runtime.log('warn', 'too few instances are healthy: all are used', fields);
    else runtime.log('info', 'enough instances are healthy again: only those are used', fields);
    onPanic?.(panic);
  }
}

import type { Registry } from '@heddle/discovery';
import type { Runtime } from '@heddle/kernel';
import type { MetricRegistry } from '@heddle/telemetry';
import { RetryBudget } from '@heddle/traffic';
import type { HttpService } from '@heddle/wire';
import { gatewayStack, routeStack } from './gateway-stack.ts';
import type { GatewayConfig } from './model/gateway-config.ts';
import { routed } from './router/routed.ts';
import type { Dial } from './upstream/dial.ts';
import { Upstream } from './upstream/upstream.ts';

/** What a gateway is made from. */
export interface GatewayOptions {
  readonly config: GatewayConfig;
  readonly runtime: Runtime;
  readonly metrics: MetricRegistry;
  readonly dial: Dial;
  /** For `discovery:` upstreams. */
  readonly registry?: Registry;
}

/** A configured gateway without its socket: a service, and the upstreams that it follows. */
export class Gateway {
  readonly service: HttpService;
  readonly #upstreams = new Map<string, { readonly upstream: Upstream; readonly budget: RetryBudget }>();
  #draining = false;

  /** Starts to resolve every upstream. Throws as `Upstream` does; nothing is left running then. */
  constructor(options: GatewayOptions) {
    const { config, metrics } = options;
    const routes = config.routes.map((route) => {
      const { upstream, budget } = this.#upstream(route.upstream, options);
      return { route, service: routeStack({ route, budget })(upstream.service) };
    });
    const readiness = (): ReturnType<Gateway['readiness']> => this.readiness();
    this.service = gatewayStack({ limits: config.limits, metrics, readiness })(routed(routes));
  }

  /** Ready when the instances of every upstream are known, until `leave`. */
  readiness(): { readonly ready: boolean; readonly why?: string } {
    if (this.#draining) return { ready: false, why: 'draining' };
    const unknown = [...this.#upstreams.values()].filter(({ upstream }) => !upstream.resolved);
    if (unknown.length === 0) return { ready: true };
    return { ready: false, why: `waiting for ${unknown.map(({ upstream }) => upstream.target).join(', ')}` };
  }

  /** `/readyz` answers 503 from now on, so that balancers in front look elsewhere; requests are served as before. */
  leave(): void {
    this.#draining = true;
  }

  /** Takes no more requests to the upstreams; resolves when their calls are done and the connections closed. */
  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.all([...this.#upstreams.values()].map(({ upstream }) => upstream.drain()));
  }

  #upstream(target: string, options: GatewayOptions): { upstream: Upstream; budget: RetryBudget } {
    const known = this.#upstreams.get(target);
    if (known !== undefined) return known;
    const { runtime, registry, dial } = options;
    try {
      const upstream = new Upstream(target, { runtime, registry, dial });
      const made = { upstream, budget: new RetryBudget(runtime.clock) };
      this.#upstreams.set(target, made);
      return made;
    } catch (thrown) {
      void this.drain();
      throw thrown;
    }
  }
}

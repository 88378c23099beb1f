import { type Instance, type Registry, resolver } from '@heddle/discovery';
import type { Runtime } from '@heddle/kernel';
import { MetricRegistry } from '@heddle/telemetry';
import { RetryBudget } from '@heddle/traffic';
import {
  balance,
  type DecisionLog,
  httpUpstream,
  InstanceGroup,
  linesOf,
  policyByName,
  type Stacks,
  type Upstream,
} from '@heddle/upstream';
import { classifyHttp, type HttpRequest, type HttpResponse, type HttpService } from '@heddle/wire';
import { gatewayLayers, gatewayStack, routeLayers, routeStack } from './gateway-stack.ts';
import type { GatewayConfig } from './model/gateway-config.ts';
import { routed } from './router/routed.ts';

type HttpGroup = InstanceGroup<HttpRequest, HttpResponse>;

/** What a gateway is made from. */
export interface GatewayOptions {
  readonly config: GatewayConfig;
  readonly runtime: Runtime;
  readonly metrics: MetricRegistry;
  /** For `discovery:` upstreams. */
  readonly registry?: Registry;
  /** Where decision records go. Default: none are made. */
  readonly decisions?: DecisionLog;
  /** Makes the way to an instance. Default `httpUpstream`. */
  readonly connect?: (instance: Instance) => Upstream<HttpRequest, HttpResponse>;
}

/** What several routes to one target share. */
interface Target {
  readonly group: HttpGroup;
  readonly budget: RetryBudget;
}

/** A configured gateway without its socket: a service, and the upstreams that it follows. */
export class Gateway {
  readonly service: HttpService;
  /** The layers around every request, and around those that have a route. */
  readonly stacks: Stacks;
  readonly #targets = new Map<string, Target>();
  #draining = false;

  /** Starts to resolve every upstream. Throws as `resolver` of discovery does; nothing is left running then. */
  constructor(options: GatewayOptions) {
    const { config, metrics, decisions } = options;
    const routes = config.routes.map((route) => {
      const { group, budget } = this.#target(route.upstream, options);
      return { route, service: routeStack({ route, budget, decisions })(balance(group)) };
    });
    const readiness = (): ReturnType<Gateway['readiness']> => this.readiness();
    const front = { limits: config.limits, metrics, readiness };
    this.service = gatewayStack(front)(routed(routes));
    const [route] = config.routes;
    const budget = new RetryBudget(options.runtime.clock);
    this.stacks = {
      gateway: linesOf(gatewayLayers({ ...front, metrics: new MetricRegistry() })),
      ...(route !== undefined && { route: linesOf(routeLayers({ route, budget, decisions })) }),
    };
  }

  /** Ready when the instances of every upstream are known, until `leave`. */
  readiness(): { readonly ready: boolean; readonly why?: string } {
    if (this.#draining) return { ready: false, why: 'draining' };
    const unknown = [...this.#targets].filter(([, { group }]) => !group.resolved).map(([target]) => target);
    return unknown.length === 0
      ? { ready: true }
      : { ready: false, why: `waiting for ${unknown.join(', ')}` };
  }

  /** `/readyz` answers 503 from now on, so that balancers in front look elsewhere; requests are served as before. */
  leave(): void {
    this.#draining = true;
  }

  /** Takes no more requests to the upstreams; resolves when their calls are done and the connections closed. */
  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.all([...this.#targets.values()].map(({ group }) => group.drain()));
  }

  #target(target: string, options: GatewayOptions): Target {
    const known = this.#targets.get(target);
    if (known !== undefined) return known;
    const { runtime, registry } = options;
    const { connect = (instance) => httpUpstream(instance, runtime) } = options;
    try {
      const source = resolver(target, registry === undefined ? { runtime } : { runtime, registry });
      const policy = policyByName('weighted_round_robin', runtime);
      const guards = { classify: classifyHttp };
      const group = new InstanceGroup({ runtime, resolver: source, policy, connect, guards });
      const made = { group, budget: new RetryBudget(runtime.clock) };
      this.#targets.set(target, made);
      return made;
    } catch (thrown) {
      void this.drain();
      throw thrown;
    }
  }
}

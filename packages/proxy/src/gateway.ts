import { type Instance, type Registry, resolver } from '@heddle/discovery';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { MetricRegistry } from '@heddle/telemetry';
import { MemoryRateStore, type RateStore, RetryBudget } from '@heddle/traffic';
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
import type { HttpRequest, HttpResponse, HttpService } from '@heddle/wire';
import { chosen } from './action/chosen.ts';
import { mirrored } from './action/mirrored.ts';
import { ownAnswer } from './action/own-answer.ts';
import { Authenticator, type Secrets } from './auth/authenticator.ts';
import {
  attemptLayers,
  attemptStack,
  gatewayLayers,
  gatewayStack,
  routeLayers,
  routeStack,
} from './gateway-stack.ts';
import type { GatewayConfig, QuarantinedRoute } from './model/gateway-config.ts';
import { classifyAnswer } from './forward/classify.ts';
import type { RouteConfig, UpstreamProtocol } from './model/route.ts';
import { type Routed, routed } from './router/routed.ts';
import { type Descriptors, descriptorsOf } from './transcode/descriptors.ts';

type HttpGroup = InstanceGroup<HttpRequest, HttpResponse>;

/** What a gateway is made from. */
export interface GatewayOptions {
  readonly config: GatewayConfig;
  readonly runtime: Runtime;
  readonly metrics: MetricRegistry;
  /** For `discovery:` upstreams. */
  readonly registry?: Registry;
  /** Gives the secrets that the configuration names. Default: there are none. */
  readonly secrets?: Secrets;
  /** Where decision records go. Default: none are made. */
  readonly decisions?: DecisionLog;
  /** Makes the way to an instance. Default `httpUpstream`. */
  readonly connect?: (instance: Instance, protocol: UpstreamProtocol) => Upstream<HttpRequest, HttpResponse>;
  /** Gives the files that the configuration names; undefined for one that is not there. Default: there are none. */
  readonly files?: (name: string) => Uint8Array | undefined;
}

/** Refuses what a route in quarantine is for. Less specific routes may be open to more people, and must not get it. */
function quarantine({ at, match }: QuarantinedRoute): Routed[] {
  if (match === undefined) return [];
  const message = 'the configuration of this route has mistakes; the log of the gateway names them';
  const service: HttpService = async () => {
    throw new HeddleError({ code: 'unavailable', reason: 'ROUTE_QUARANTINED', message, sent: false });
  };
  return [{ name: at, match, service, answersPreflights: false }];
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
  readonly #store: RateStore;
  #draining = false;

  /** Starts to resolve every upstream. Throws as `resolver` of discovery does, and
   * `failed_precondition` / `MISSING_SECRET` for a secret that is not there; nothing is left running then. */
  constructor(options: GatewayOptions) {
    const { config, metrics, decisions, secrets = () => undefined } = options;
    this.#store = new MemoryRateStore(options.runtime.clock);
    const authenticator = new Authenticator(config.auth, options.runtime, secrets);
    const routes = config.routes.flatMap((route) => this.#routed(route, authenticator, options));
    const refused = config.quarantined.flatMap(quarantine);
    const readiness = (): ReturnType<Gateway['readiness']> => this.readiness();
    const front = { config, metrics, readiness, authenticator };
    this.service = gatewayStack(front)(routed([...routes, ...refused]));
    const [route] = config.routes;
    const budget = new RetryBudget(options.runtime.clock);
    const inside = (of: RouteConfig): ReturnType<typeof linesOf> => [
      ...linesOf(
        routeLayers({ route: of, config, authenticator, store: this.#store, descriptors: undefined }),
      ),
      ...linesOf(attemptLayers({ route: of, upstream: '', budget, decisions })),
    ];
    this.stacks = {
      gateway: linesOf(gatewayLayers({ ...front, metrics: new MetricRegistry() })),
      ...(route !== undefined && { route: inside(route) }),
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

  /** A route whose descriptors cannot be read is refused like one in quarantine: no other is the worse for it. */
  #routed(route: RouteConfig, authenticator: Authenticator, options: GatewayOptions): Routed[] {
    const { name, match } = route;
    let descriptors: Descriptors | undefined;
    try {
      descriptors = descriptorsOf(route, options.files);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      options.runtime.log('error', `route ${name} is not served, and its requests are refused`, { error });
      return quarantine({ at: name, match, problems: [] });
    }
    return [this.#served(route, descriptors, authenticator, options)];
  }

  #served(
    route: RouteConfig,
    descriptors: Descriptors | undefined,
    authenticator: Authenticator,
    options: GatewayOptions,
  ): Routed {
    const { name, match, action, mirror } = route;
    const way = (upstream: string): HttpService => {
      const { group, budget } = this.#target(upstream, route.protocol, options);
      return attemptStack({ route, upstream, budget, decisions: options.decisions })(balance(group));
    };
    let service: HttpService;
    if (action.kind === 'forward') {
      const shares = action.shares.map(({ upstream, weight }) => ({ service: way(upstream), weight }));
      const variants = action.variants.map((each) => ({ ...each, service: way(each.upstream) }));
      service = chosen({ shares, variants, sticky: action.sticky, salt: name });
    } else service = ownAnswer(action);
    if (mirror !== undefined) {
      const to = balance(this.#target(mirror.upstream, route.protocol, options).group);
      service = mirrored({ to, percent: mirror.percent, timeoutMs: route.timeoutMs })(service);
    }
    return {
      name,
      match,
      answersPreflights: route.cors !== undefined,
      service: routeStack({
        route,
        config: options.config,
        authenticator,
        store: this.#store,
        descriptors,
      })(service),
    };
  }

  #target(target: string, protocol: UpstreamProtocol, options: GatewayOptions): Target {
    const key = protocol === 'http1' ? target : `${target} (${protocol})`;
    const known = this.#targets.get(key);
    if (known !== undefined) return known;
    const { runtime, registry } = options;
    const { connect = (instance, speaks) => httpUpstream(instance, runtime, speaks) } = options;
    try {
      const source = resolver(target, registry === undefined ? { runtime } : { runtime, registry });
      const policy = policyByName('weighted_round_robin', runtime);
      const guards = { classify: classifyAnswer };
      const group = new InstanceGroup({
        runtime,
        resolver: source,
        policy,
        connect: (instance) => connect(instance, protocol),
        guards,
      });
      const made = { group, budget: new RetryBudget(runtime.clock) };
      this.#targets.set(key, made);
      return made;
    } catch (thrown) {
      void this.drain();
      throw thrown;
    }
  }
}

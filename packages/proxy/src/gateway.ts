import type { Instance, Registry } from '@heddle/discovery';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { httpServerMetrics, MetricRegistry } from '@heddle/telemetry';
import { MemoryRateStore, type RateStore, RetryBudget } from '@heddle/traffic';
import {
  type DecisionLog,
  httpUpstream,
  linesOf,
  type SharedVerdicts,
  type Stacks,
  type Upstream,
  type WayOptions,
} from '@heddle/upstream';
import type { HttpRequest, HttpResponse, HttpService } from '@heddle/wire';
import { Authenticator, type Secrets } from './auth/authenticator.ts';
import { decisionMetrics, type OnDecision } from './decide/decided.ts';
import { DecisionPoint } from './decide/decision-point.ts';
import { attemptLayers, gatewayLayers, type HttpLayer, routeLayers } from './gateway-stack.ts';
import { type LimitMetrics, limitMetrics } from './limit/limit-metrics.ts';
import { LimitStores, type OpenStore } from './limit/limit-store.ts';
import { type PlaceLease, Places } from './limit/places.ts';
import type { GatewayConfig } from './model/gateway-config.ts';
import type { PolicyResource } from './model/istio/policy.ts';
import type { UpstreamProtocol } from './model/route.ts';
import { arrivedAt } from './server/arrived.ts';
import type { Pass } from './server/passed.ts';
import { type Target, Targets } from './upstream/targets.ts';
import { Generation } from './version/generation.ts';

/** What a gateway is made from. */
export interface GatewayOptions {
  /** What it begins with; `apply` takes the next. */
  readonly config: GatewayConfig;
  readonly runtime: Runtime;
  readonly metrics: MetricRegistry;
  /** For `discovery:` upstreams. */
  readonly registry?: Registry;
  /** Gives the secrets that the configuration names. Default: there are none. */
  readonly secrets?: Secrets;
  /** Where decision records go. Default: none are made. */
  readonly decisions?: DecisionLog;
  /** Counts the rate limits where none is shared, and while a shared one cannot be asked. Default: in this process. */
  readonly rateStore?: RateStore;
  /** Opens the `rateLimitStore` of a configuration. Default: none can be had. */
  readonly openRateStore?: OpenStore;
  /** Makes the way to an instance. Default `httpUpstream`. */
  readonly connect?: (
    instance: Instance,
    protocol: UpstreamProtocol,
    way: WayOptions,
  ) => Upstream<HttpRequest, HttpResponse>;
  /** Takes the lines of the access log, where the configuration has one. Must not throw, and not wait. Default: the log. */
  readonly writeAccess?: (line: string) => void;
  /** Gives the files that the configuration names; undefined for one that is not there. Default: there are none. */
  readonly files?: (name: string) => Uint8Array | undefined;
  /** What gateways that serve together tell each other of the instances of a target. Default: each judges alone. */
  readonly verdicts?: (target: string) => SharedVerdicts;
  /** Makes what enforces the `policies` of a configuration. Default: one that has some cannot be served. */
  readonly guard?: (policies: readonly PolicyResource[], config: GatewayConfig) => HttpLayer;
  /** The places that they share. Default: `limits.maxRequests` are for this one alone. */
  readonly places?: PlaceLease;
}

/** A configuration that can be served, and is not yet. One of its two methods is to be called. */
export interface Prepared {
  /** Requests that come from now on are served by it; those that have come before end as they began. */
  commit(): void;
  discard(): void;
}

/** A configured gateway without its socket: a service, and the upstreams that it follows. */
export class Gateway {
  readonly service: HttpService = (req, call) => this.#generation.service(req, call);
  readonly #options: GatewayOptions;
  readonly #targets: Targets;
  readonly #limitStores: LimitStores;
  readonly #limitMetrics: LimitMetrics;
  readonly #onDecision: OnDecision;
  readonly #measured: HttpLayer;
  readonly #places: Places;
  readonly #retiring = new Set<Promise<void>>();
  #generation: Generation;
  #isKnown = false;
  #draining = false;

  /**
   * Starts to resolve every upstream; a route whose upstream cannot be is refused alone. Throws `failed_precondition` /
   * `MISSING_SECRET` for a secret that is not there, and what is wrong with the routes where none is left that can be
   * served; nothing is left running then.
   */
  constructor(options: GatewayOptions) {
    const {
      runtime,
      metrics,
      registry,
      connect = (instance, speaks, way) => httpUpstream(instance, runtime, speaks, way),
      files = () => undefined,
      verdicts,
    } = options;
    this.#options = options;
    const { secrets = () => undefined, rateStore = new MemoryRateStore(runtime.clock) } = options;
    this.#limitStores = new LimitStores(runtime, secrets, rateStore, options.openRateStore);
    this.#places = new Places(options.places);
    this.#limitMetrics = limitMetrics(metrics);
    this.#onDecision = decisionMetrics(metrics);
    this.#targets = new Targets({
      runtime,
      registry,
      connect,
      files,
      ...(verdicts !== undefined && { guards: (target) => ({ shared: verdicts(target) }) }),
    });
    this.#measured = httpServerMetrics(metrics, { service: 'gateway' });
    this.#generation = this.#make(options.config, undefined);
  }

  /** For what comes to a port of `servers`. */
  serviceAt(port: number): HttpService {
    return (req, call) => this.#generation.service(req, call.set(arrivedAt, port));
  }

  /** The way of a connection whose TLS is passed on. */
  readonly pass: Pass = (port, serverName, runtime) => this.#generation.pass(port, serverName, runtime);

  /** What is served now. */
  get config(): GatewayConfig {
    return this.#generation.options.config;
  }

  /** Every upstream of what is served now, by its target. */
  get targets(): ReadonlyMap<string, Target> {
    return this.#generation.options.targets.all;
  }

  /** Requests in flight. */
  get inFlight(): number {
    return this.#places.taken;
  }

  /** The layers around every request, and around those that have a route. */
  get stacks(): Stacks {
    const { options, limitStore } = this.#generation;
    const { config, decisions } = options;
    const [route] = config.routes;
    const budget = new RetryBudget(this.#options.runtime.clock);
    const measured = httpServerMetrics(new MetricRegistry(), { service: 'gateway' });
    return {
      gateway: linesOf(gatewayLayers({ ...options, measured })),
      ...(route !== undefined && {
        route: [
          ...linesOf(routeLayers({ ...options, route, limitStore, descriptors: undefined })),
          ...linesOf(attemptLayers({ route, upstream: '', budget, decisions })),
        ],
      }),
    };
  }

  /**
   * Makes another configuration ready: throws as the constructor does, and nothing has changed then. What both have in
   * common stays as it is: connections, counted limits, what is known of instances, keys that were fetched.
   */
  prepare(config: GatewayConfig): Prepared {
    const made = this.#make(config, this.#generation);
    return {
      commit: () => {
        const old = this.#generation;
        this.#generation = made;
        this.#retire(old);
      },
      discard: () => this.#retire(made),
    };
  }

  /** Serves by another configuration from now on. Throws as `prepare`. */
  apply(config: GatewayConfig): void {
    this.prepare(config).commit();
  }

  /**
   * Ready when the instances of every upstream are known for the first time, until `leave`. One that a reload brings is
   * no reason to send everybody elsewhere: requests to it wait.
   */
  readiness(): { readonly ready: boolean; readonly why?: string } {
    if (this.#draining) return { ready: false, why: 'draining' };
    if (this.#isKnown) return { ready: true };
    const unknown = [...this.targets].filter(([, { group }]) => !group.resolved).map(([target]) => target);
    if (unknown.length > 0) return { ready: false, why: `waiting for ${unknown.join(', ')}` };
    this.#isKnown = true;
    return { ready: true };
  }

  /** `/readyz` answers 503 from now on, so that balancers in front look elsewhere; requests are served as before. */
  leave(): void {
    this.#draining = true;
  }

  /** Takes no more requests to the upstreams; resolves when their calls are done and the connections closed. */
  async drain(): Promise<void> {
    this.#draining = true;
    const groups = [...this.targets.values()].map(({ group }) => group.drain());
    await Promise.all([...groups, ...this.#retiring]);
    this.#generation.options.decisionPoint?.close();
  }

  #make(config: GatewayConfig, before: Generation | undefined): Generation {
    const { runtime, secrets = () => undefined, decisions, files } = this.#options;
    const known = before?.options;
    // Made anew, it would have to fetch all keys again.
    const isSame = known !== undefined && JSON.stringify(known.config.auth) === JSON.stringify(config.auth);
    return new Generation({
      config,
      decisionPoint: this.#decisionPoint(config, before),
      onDecision: this.#onDecision,
      authenticator: isSame ? known.authenticator : new Authenticator(config.auth, runtime, secrets),
      targets: this.#targets.hold(config.upstreams),
      limitStores: this.#limitStores,
      limitMetrics: this.#limitMetrics,
      decisions,
      files,
      before: before?.routes ?? [],
      writeAccess: this.#options.writeAccess ?? ((line) => runtime.log('info', line)),
      log: runtime.log,
      measured: this.#measured,
      places: this.#places,
      guard: this.#guard(config),
      readiness: () => this.readiness(),
    });
  }

  /** Throws `failed_precondition` / `NO_GUARD` where policies cannot be enforced: nobody may come in then. */
  #guard(config: GatewayConfig): HttpLayer | undefined {
    if (config.policies.length === 0) return undefined;
    const made = this.#options.guard?.(config.policies, config);
    if (made !== undefined) return made;
    const message = 'this gateway was made without what enforces policies';
    throw new HeddleError({ code: 'failed_precondition', reason: 'NO_GUARD', message, sent: false });
  }

  /** The one of before where nothing about it has changed: what it has decided is remembered. */
  #decisionPoint(
    { decisionPoint }: GatewayConfig,
    before: Generation | undefined,
  ): DecisionPoint | undefined {
    const { runtime, secrets = () => undefined } = this.#options;
    const known = before?.options.decisionPoint;
    if (JSON.stringify(known?.config) === JSON.stringify(decisionPoint)) return known;
    return decisionPoint && new DecisionPoint(decisionPoint, runtime, secrets);
  }

  #retire(generation: Generation): void {
    const done: Promise<void> = generation.retire().finally(() => {
      this.#retiring.delete(done);
      const { decisionPoint } = generation.options;
      if (decisionPoint !== this.#generation.options.decisionPoint) decisionPoint?.close();
    });
    this.#retiring.add(done);
  }
}

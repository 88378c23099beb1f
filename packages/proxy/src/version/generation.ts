import { HeddleError, type Log } from '@heddle/kernel';
import { balance, type DecisionLog } from '@heddle/upstream';
import type { HttpService } from '@heddle/wire';
import { chosen } from '../action/chosen.ts';
import { mirrored } from '../action/mirrored.ts';
import { ownAnswer } from '../action/own-answer.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { attemptStack, type GatewayStackOptions, gatewayStack, routeStack } from '../gateway-stack.ts';
import type { OnDecision } from '../decide/decided.ts';
import type { DecisionPoint } from '../decide/decision-point.ts';
import type { LimitMetrics } from '../limit/limit-metrics.ts';
import type { LimitStore, LimitStores } from '../limit/limit-store.ts';
import { rateLimitService } from '../limit/service/rate-limit-service.ts';
import { matchKey, type QuarantinedRoute } from '../model/gateway-config.ts';
import type { RouteConfig } from '../model/route.ts';
import { type Routed, routed } from '../router/routed.ts';
import { type Pass, passing } from '../server/passed.ts';
import { isForSource } from '../router/source.ts';
import { type Descriptors, descriptorsOf } from '../transcode/descriptors.ts';
import type { HeldTargets } from '../upstream/targets.ts';

/** What a version of the configuration is made into a service with. */
export interface GenerationOptions extends GatewayStackOptions {
  readonly targets: HeldTargets;
  readonly authenticator: Authenticator;
  readonly limitStores: LimitStores;
  readonly limitMetrics: LimitMetrics;
  readonly decisionPoint: DecisionPoint | undefined;
  readonly onDecision: OnDecision;
  readonly decisions: DecisionLog | undefined;
  readonly files: ((name: string) => Uint8Array | undefined) | undefined;
  readonly log: Log;
  /** The routes of the version before. */
  readonly before: readonly RouteConfig[];
}

/**
 * One version of the configuration as a service. What began under a version ends under it: its targets are let go of
 * when it has been retired and its last request has ended.
 */
export class Generation {
  readonly options: GenerationOptions;
  readonly service: HttpService;
  readonly limitStore: LimitStore;
  readonly pass: Pass;
  /** As they are served: some may go on as they were. */
  readonly routes: readonly RouteConfig[];
  #inFlight = 0;
  #retired: (() => void) | undefined;

  /** Throws as `LimitStores.take` does, and what is wrong with the routes where that is so with all; nothing is held then. */
  constructor(options: GenerationOptions) {
    this.options = options;
    const { config, targets, limitStores } = options;
    this.limitStore = limitStores.take(config);
    try {
      this.pass = passing(config.servers, targets);
      const all = config.routes.map((route) => servedBy(route, options, this.limitStore));
      const failures = all.filter((each) => each instanceof HeddleError);
      // A gateway that serves nothing is not what anybody meant.
      if (failures[0] !== undefined && failures.length === all.length) throw failures[0];
      this.routes = all.flatMap((each) => (each instanceof HeddleError ? [] : [each.config]));
      const routes = all.flatMap((each, at) =>
        each instanceof HeddleError ? refused(config.routes[at] as RouteConfig) : [each.routed],
      );
      const service = gatewayStack(options)(routed([...routes, ...config.quarantined.flatMap(quarantine)]));
      const ended = (): void => this.#ended();
      this.service = (req, call) => {
        this.#inFlight++;
        call.onEnd(ended);
        return service(req, call);
      };
    } catch (thrown) {
      void targets.release();
      limitStores.release(config);
      throw thrown;
    }
  }

  /** Takes no more requests; resolves when those it has have ended and its targets are let go of. */
  async retire(): Promise<void> {
    if (this.#inFlight > 0)
      await new Promise<void>((resolve) => {
        this.#retired = resolve;
      });
    const { targets, limitStores, config } = this.options;
    limitStores.release(config);
    await targets.release();
  }

  #ended(): void {
    this.#inFlight--;
    if (this.#inFlight === 0) this.#retired?.();
  }
}

/** A route that is served, as it is or as it was. */
interface ServedRoute {
  readonly config: RouteConfig;
  readonly routed: Routed;
}

/**
 * A route whose descriptors cannot be read, or whose upstream cannot be resolved, goes on as it was; a new one is refused
 * like one in quarantine: no other is the worse for it. Gives what is wrong where it is refused.
 */
function servedBy(
  route: RouteConfig,
  options: GenerationOptions,
  limitStore: LimitStore,
): ServedRoute | HeddleError {
  const { name, match } = route;
  const serve = (config: RouteConfig): ServedRoute => {
    const descriptors = descriptorsOf(config, options.files);
    return { config, routed: served(config, descriptors, options, limitStore) };
  };
  try {
    return serve(route);
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    const key = matchKey(match);
    const before = options.before.find((each) => matchKey(each.match) === key);
    const how = before === undefined ? 'is not served, and its requests are refused' : 'goes on as it was';
    // Without a stack: where in our code it was found helps nobody who has written the file.
    options.log('error', `route ${name} ${how}: ${error.message}`, { reason: error.reason });
    try {
      if (before !== undefined) return serve(before);
    } catch {
      // What it needed has gone too.
    }
    return error;
  }
}

function served(
  route: RouteConfig,
  descriptors: Descriptors | undefined,
  options: GenerationOptions,
  limitStore: LimitStore,
): Routed {
  const { name, match, action, mirror } = route;
  const { targets, decisions } = options;
  const way = (upstream: string): HttpService => {
    const { group, budget, config } = targets.get(upstream, route.protocol);
    return attemptStack({ route, upstream, budget, hash: config.hash, decisions })(balance(group));
  };
  let service: HttpService;
  if (action.kind === 'forward') {
    const shares = action.shares.map(({ upstream, weight }) => ({ service: way(upstream), weight }));
    const variants = action.variants.map((each) => ({ ...each, service: way(each.upstream) }));
    service = chosen({ shares, variants, sticky: action.sticky, salt: name });
  } else if (action.kind === 'rate-limit-service')
    service = rateLimitService(action.limits, name, limitStore, options.limitMetrics);
  else service = ownAnswer(action, match.path.value);
  if (mirror !== undefined) {
    const to = balance(targets.get(mirror.upstream, route.protocol).group);
    service = mirrored({ to, percent: mirror.percent, timeoutMs: route.timeoutMs })(service);
  }
  const around = routeStack({ ...options, route, limitStore, descriptors });
  const isFor = isForSource(route, options.config.zones, options.authenticator);
  return { name, match, answersPreflights: route.cors !== undefined, service: around(service), isFor };
}

function refused({ name, match }: RouteConfig): Routed[] {
  return quarantine({ at: name, source: '', match, problems: [], kept: false });
}

/** Refuses what a route in quarantine is for. Less specific routes may be open to more people, and must not get it. */
function quarantine({ at, match, kept }: QuarantinedRoute): Routed[] {
  if (match === undefined || kept) return [];
  const message = 'the configuration of this route has mistakes; the log of the gateway names them';
  const service: HttpService = async () => {
    throw new HeddleError({ code: 'unavailable', reason: 'ROUTE_QUARANTINED', message, sent: false });
  };
  return [{ name: at, match, service, answersPreflights: false }];
}

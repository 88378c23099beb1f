<<<<<<< HEAD
import { type Layer, stack } from '@heddle/kernel';
import { httpServerMetrics, type MetricRegistry } from '@heddle/telemetry';
import { concurrency, type RateStore, type RetryBudget, retry, timeout } from '@heddle/traffic';
=======
import type { Layer } from '@heddle/kernel';
import { httpServerMetrics, type MetricRegistry, traced } from '@heddle/telemetry';
import { concurrency, type RetryBudget, retry, timeout } from '@heddle/traffic';
>>>>>>> main
import {
  type DecisionLog,
  explained,
  explainedAttempt,
  type NamedLayer,
  recording,
  stackOf,
} from '@heddle/upstream';
import {
  classifyHttp,
  type HttpRequest,
  type HttpResponse,
  propagateIn,
  replayHttp,
  retryAfterMs,
} from '@heddle/wire';
import { authenticated, authorised, withoutClaims } from './auth/authenticated.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { errorsToAnswers } from './answer/errors-to-answers.ts';
import { health, type Readiness } from './answer/health.ts';
import { content } from './forward/content.ts';
import { forwarded } from './forward/forwarded.ts';
import { changeFields } from './action/change-fields.ts';
import { corsLayer } from './action/cors.ts';
import { rewritten } from './action/rewritten.ts';
import { routeFault } from './action/route-fault.ts';
import { isAnonymous, limited } from './limit/limited.ts';
import type { GatewayConfig } from './model/gateway-config.ts';
import type { RouteConfig } from './model/route.ts';
import { normalised } from './router/normalised.ts';

type HttpLayer = Layer<HttpRequest, HttpResponse>;
type HttpLayers = readonly NamedLayer<HttpRequest, HttpResponse>[];

/** What the stack in front of the router needs. */
export interface GatewayStackOptions {
  readonly config: GatewayConfig;
  readonly metrics: MetricRegistry;
  readonly readiness: Readiness;
}

<<<<<<< HEAD
/** Every request passes these, from the outside in, before its route is looked up. */
export function gatewayStack({ config, metrics, readiness }: GatewayStackOptions): HttpLayer {
  return stack(
    // Above all else: probes are neither traffic nor subject to its limits.
    health(readiness),
    // Sees every answer, those that the layers below make out of errors included.
    httpServerMetrics(metrics, { service: 'gateway' }),
    // Above the errors, so that their answers carry the request's id too; above the router, so that no route can be
    // reached with claims from outside.
    forwarded,
    // Beside it: the fields that say what a token says are ours as well.
    withoutClaims((config.auth.claimsToFields ?? []).map(([, name]) => name)),
    // Above all that can refuse, so that every refusal is a proper answer.
    errorsToAnswers,
    // Below the answers, since a deadline that cannot be read is refused; below `forwarded`, which has removed what
    // strangers claim. From here on the call has the caller's deadline and trace.
    propagateIn,
    // Before any work is done for the request; a refusal here is cheap.
    concurrency<HttpRequest, HttpResponse>({ max: config.limits.maxRequests, what: 'the gateway' }),
    // One spelling of the path for everything that decides by it, and for the upstream.
    normalised,
  );
=======
/** Every request passes these, before its route is looked up. */
export function gatewayStack(options: GatewayStackOptions): HttpLayer {
  return stackOf(gatewayLayers(options));
}

/** The layers from the outside in. Each place has its reason, which `heddle explain layers` shows. */
export function gatewayLayers({ limits, metrics, readiness }: GatewayStackOptions): HttpLayers {
  return [
    {
      name: 'health',
      why: 'Above all else: probes are neither traffic nor subject to its limits.',
      layer: health(readiness),
    },
    {
      name: 'metrics',
      why: 'Sees every answer, those that the layers below make out of errors included.',
      layer: httpServerMetrics(metrics, { service: 'gateway' }),
    },
    {
      name: 'forwarded',
      why: "Above the errors, so that their answers carry the request's id too; above the router, so that no route can be reached with claims from outside.",
      layer: forwarded,
    },
    {
      name: 'answers to errors',
      why: 'Above all that can refuse, so that every refusal is a proper answer.',
      layer: errorsToAnswers,
    },
    {
      name: 'context',
      why: "Below the answers, since a deadline that cannot be read is refused; below 'forwarded', which has removed what strangers claim.",
      layer: propagateIn,
    },
    {
      name: 'trace',
      why: 'Right below the context, whose trace it goes on with: from here on the call has a deadline and a span.',
      layer: traced({ kind: 'server', name: ({ method }) => `${method} gateway` }),
    },
    {
      name: 'places',
      why: 'Before any work is done for the request; a refusal here is cheap.',
      layer: concurrency({ max: limits.maxRequests, what: 'the gateway' }),
    },
    {
      name: 'one spelling',
      why: 'One spelling of the path for everything that decides by it, and for the upstream.',
      layer: normalised,
    },
    {
      name: 'content',
      why: 'Last, as it may wait for the content: what is refused for other reasons is not read.',
      layer: content(limits.maxBodyBytes),
    },
  ];
>>>>>>> main
}

/** What `routeStack` needs. */
export interface RouteStackOptions {
  readonly route: RouteConfig;
  readonly config: GatewayConfig;
  readonly authenticator: Authenticator;
  readonly store: RateStore;
}

/** A request that has its route passes these, whatever the route does with it. */
export function routeStack({ route, config, authenticator, store }: RouteStackOptions): HttpLayer {
  return stack(
    // Outermost: a page must be able to read refusals as well, and a preflight carries no credentials.
    optional(route.cors, (cors) => stack(corsLayer(cors), errorsToAnswers)),
    // Above what is slow on purpose, so that even that ends in time. It bounds all attempts together.
    timeout<HttpRequest, HttpResponse>({ ms: route.timeoutMs }),
    // Before any proof is looked at, as far as that can be: whoever guesses is limited too.
    limited(route.limits.filter(isAnonymous), route.name, store),
    // Above all that the route does for a caller. A refusal has read nothing of the content.
    optional(route.auth, (demand) => authenticated(authenticator, demand, config.auth)),
    route.access.length === 0 ? (next) => next : authorised(route.access),
    limited(
      route.limits.filter((limit) => !isAnonymous(limit)),
      route.name,
      store,
    ),
    // Below the proof of identity, which must not be read from fields that the route itself sets.
    changeFields(route.request, route.response),
    optional(route.fault, routeFault),
    // Last, as it may wait for the content: what is refused for other reasons is not read.
    content(route.maxBodyBytes ?? config.limits.maxBodyBytes),
    // Only what goes on gets another path: everything above sees the one that was asked for.
    optional(route.rewrite, (rewrite) => rewritten(rewrite, route.match.path.value)),
  );
}

/** What `attemptStack` needs. The budget is shared by all routes to one upstream. */
export interface AttemptStackOptions {
  readonly route: Pick<RouteConfig, 'attempts' | 'attemptTimeoutMs'>;
  readonly budget: RetryBudget;
  /** Where decision records go; undefined: none are made. */
  readonly decisions: DecisionLog | undefined;
}

<<<<<<< HEAD
/** A request that goes to an upstream passes these, above the upstream's balancer. */
export function attemptStack({ route, budget }: AttemptStackOptions): HttpLayer {
  // Right above the balancer, which gives each attempt another instance.
  return retry<HttpRequest, HttpResponse>({
    classify: classifyHttp,
    replay: replayHttp,
    budget,
    attempts: route.attempts,
    pushbackMs: retryAfterMs,
    ...(route.attemptTimeoutMs !== undefined && { attemptTimeoutMs: route.attemptTimeoutMs }),
  });
}

function optional<T>(given: T | undefined, layer: (given: T) => HttpLayer): HttpLayer {
  return given === undefined ? (next) => next : layer(given);
=======
/** A request that has its route passes these, above the upstream's balancer. */
export function routeStack(options: RouteStackOptions): HttpLayer {
  return stackOf(routeLayers(options));
}

/** The layers from the route to the balancer. */
export function routeLayers({ route, budget, decisions }: RouteStackOptions): HttpLayers {
  return [
    {
      name: 'explain',
      why: 'Above all that decides about the upstream; below the router, whose choice it records.',
      layer: decisions === undefined ? undefined : explain(route, budget, decisions),
    },
    {
      name: 'deadline',
      why: 'Above retry: it bounds all attempts together.',
      layer: timeout({ ms: route.timeoutMs }),
    },
    {
      name: 'retry',
      why: 'Above the balancer, which gives each attempt another instance.',
      layer: retry({
        classify: classifyHttp,
        replay: replayHttp,
        budget,
        attempts: route.attempts,
        pushbackMs: retryAfterMs,
        onDecision: (call, decision) => call.get(recording)?.decided(decision),
      }),
    },
    {
      name: 'attempt records',
      why: 'Below retry: one for each attempt, also for those that find no instance.',
      layer: decisions === undefined ? undefined : explainedAttempt(answerOf),
    },
    {
      name: 'balance',
      why: 'Innermost: below it there is one instance with its ejection, and its connections.',
      layer: (next) => next,
    },
  ];
}

function explain(route: RouteConfig, budget: RetryBudget, log: DecisionLog): HttpLayer {
  return explained({
    log,
    side: 'gateway',
    target: route.upstream,
    route: { name: route.name, rule: `path ${route.path}` },
    operation: ({ method }) => `${method} ${route.path}`,
    classify: classifyHttp,
    answer: answerOf,
    layers: () => ({ 'retry budget': `${budget.available} retries left` }),
  });
}

function answerOf({ status }: HttpResponse): string {
  return `status ${status}`;
>>>>>>> main
}

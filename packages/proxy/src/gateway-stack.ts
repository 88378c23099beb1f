import { type Layer, stack } from '@heddle/kernel';
import {
  httpServerMetrics,
  type MetricRegistry,
  serverSpans,
  traced,
  type TracedOptions,
} from '@heddle/telemetry';
import { concurrency, type RateStore, type RetryBudget, retry, timeout } from '@heddle/traffic';
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
import { errorsToAnswers } from './answer/errors-to-answers.ts';
import { health, type Readiness } from './answer/health.ts';
import { content } from './forward/content.ts';
import { forwarded } from './forward/forwarded.ts';
import { changeFields } from './action/change-fields.ts';
import { corsLayer } from './action/cors.ts';
import { rewritten } from './action/rewritten.ts';
import { routeFault } from './action/route-fault.ts';
import { authenticated, authorised, withoutClaims } from './auth/authenticated.ts';
import type { Authenticator } from './auth/authenticator.ts';
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

/** Every request passes these, before its route is looked up. */
export function gatewayStack(options: GatewayStackOptions): HttpLayer {
  return stackOf(gatewayLayers(options));
}

/** The layers from the outside in. Each place has its reason, which `heddle explain layers` shows. */
export function gatewayLayers({ config, metrics, readiness }: GatewayStackOptions): HttpLayers {
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
      name: 'claims',
      why: "Beside 'forwarded': the fields that say what a token says are ours as well.",
      layer: withoutClaims((config.auth.claimsToFields ?? []).map(([, name]) => name)),
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
      layer: traced(serverSpans),
    },
    {
      name: 'places',
      why: 'Before any work is done for the request; a refusal here is cheap.',
      layer: concurrency({ max: config.limits.maxRequests, what: 'the gateway' }),
    },
    {
      name: 'one spelling',
      why: 'One spelling of the path for everything that decides by it, and for the upstream.',
      layer: normalised,
    },
  ];
}

/** What `routeStack` needs. */
export interface RouteStackOptions {
  readonly route: RouteConfig;
  readonly config: GatewayConfig;
  readonly authenticator: Authenticator;
  readonly store: RateStore;
}

/** A request that has its route passes these, whatever the route does with it. */
export function routeStack(options: RouteStackOptions): HttpLayer {
  return stackOf(routeLayers(options));
}

/** The layers of a route, from the outside in. */
export function routeLayers({ route, config, authenticator, store }: RouteStackOptions): HttpLayers {
  const { cors, auth, access, limits, fault, rewrite, name } = route;
  return [
    {
      name: 'CORS',
      why: 'Outermost: a page must be able to read refusals as well, and a preflight carries no credentials.',
      layer: cors && stack(corsLayer(cors), errorsToAnswers),
    },
    {
      name: 'deadline',
      why: 'Above what is slow, on purpose or not: it bounds all attempts together.',
      layer: timeout({ ms: route.timeoutMs }),
    },
    {
      name: 'limits of strangers',
      why: 'Before any proof is looked at: whoever guesses is limited too.',
      layer: limited(limits.filter(isAnonymous), name, store),
    },
    {
      name: 'authentication',
      why: 'Above all that the route does for a caller; a refusal has read nothing of the content.',
      layer: auth && authenticated(authenticator, auth, config.auth),
    },
    {
      name: 'access',
      why: 'As soon as it is known who comes, by the path that was matched.',
      layer: access.length === 0 ? undefined : authorised(access),
    },
    {
      name: 'limits of callers',
      why: 'Below the proofs: they count by user and role.',
      layer: limited(
        limits.filter((limit) => !isAnonymous(limit)),
        name,
        store,
      ),
    },
    {
      name: 'fields',
      why: 'Below the proof of identity, which must not be read from fields that the route itself sets.',
      layer: changeFields(route.request, route.response),
    },
    {
      name: 'fault',
      why: 'Above the upstream, which it stands in for.',
      layer: fault && routeFault(fault),
    },
    {
      name: 'content',
      why: 'Late, as it may wait for the content: what is refused for other reasons is not read.',
      layer: content(route.maxBodyBytes ?? config.limits.maxBodyBytes),
    },
    {
      name: 'rewrite',
      why: 'Last: everything above sees the path that was asked for.',
      layer: rewrite && rewritten(rewrite, route.match.path.value),
    },
  ];
}

/** What `attemptStack` needs. The budget is shared by all routes to one upstream. */
export interface AttemptStackOptions {
  readonly route: RouteConfig;
  readonly upstream: string;
  readonly budget: RetryBudget;
  /** Where decision records go; undefined: none are made. */
  readonly decisions: DecisionLog | undefined;
}

/** A request that goes to an upstream passes these, above the upstream's balancer. */
export function attemptStack(options: AttemptStackOptions): HttpLayer {
  return stackOf(attemptLayers(options));
}

/** The layers from the choice of the upstream to the balancer. */
export function attemptLayers({ route, upstream, budget, decisions }: AttemptStackOptions): HttpLayers {
  return [
    {
      name: 'trace',
      why: 'Above all that decides about the upstream: all attempts are one span, as the caller sees them.',
      layer: traced(upstreamSpans(route, upstream)),
    },
    {
      name: 'explain',
      why: 'Above all that decides about the upstream; below the router, whose choice it records.',
      layer: decisions === undefined ? undefined : explain(route, upstream, budget, decisions),
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
        ...(route.attemptTimeoutMs !== undefined && { attemptTimeoutMs: route.attemptTimeoutMs }),
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

function upstreamSpans(route: RouteConfig, upstream: string): TracedOptions<HttpRequest, HttpResponse> {
  const attributes = { 'peer.service': upstream.replace(/^[a-z]+:\/\/\//, '') };
  return {
    kind: 'client',
    name: ({ method }) => `${method} ${route.match.path.value}`,
    describe: (_req, _call, answer) =>
      answer === undefined
        ? { attributes }
        : {
            attributes: { ...attributes, 'http.response.status_code': answer.status },
            failed: answer.status >= 500,
          },
  };
}

function explain(route: RouteConfig, upstream: string, budget: RetryBudget, log: DecisionLog): HttpLayer {
  return explained({
    log,
    side: 'gateway',
    target: upstream,
    route: { name: route.name, rule: `${route.match.path.kind} ${route.match.path.value}` },
    operation: ({ method }) => `${method} ${route.match.path.value}`,
    classify: classifyHttp,
    answer: answerOf,
    layers: () => ({ 'retry budget': `${budget.available} retries left` }),
  });
}

function answerOf({ status }: HttpResponse): string {
  return `status ${status}`;
}

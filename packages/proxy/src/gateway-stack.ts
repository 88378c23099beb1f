import type { Layer } from '@heddle/kernel';
import { httpServerMetrics, type MetricRegistry, traced } from '@heddle/telemetry';
import { concurrency, type RetryBudget, retry, timeout } from '@heddle/traffic';
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
import type { GatewayConfig, RouteConfig } from './model/gateway-config.ts';
import { normalised } from './router/normalised.ts';

type HttpLayer = Layer<HttpRequest, HttpResponse>;
type HttpLayers = readonly NamedLayer<HttpRequest, HttpResponse>[];

/** What the stack in front of the router needs. */
export interface GatewayStackOptions {
  readonly limits: GatewayConfig['limits'];
  readonly metrics: MetricRegistry;
  readonly readiness: Readiness;
}

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
}

/** What a route's own stack needs. The budget is shared by all routes to one upstream. */
export interface RouteStackOptions {
  readonly route: RouteConfig;
  readonly budget: RetryBudget;
  /** Where decision records go; undefined: none are made. */
  readonly decisions: DecisionLog | undefined;
}

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
}

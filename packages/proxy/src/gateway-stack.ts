import { type Layer, stack } from '@heddle/kernel';
import { serverSpans, traced, type TracedOptions } from '@heddle/telemetry';
import { type RetryBudget, retry } from '@heddle/traffic';
import {
  type DecisionLog,
  explained,
  explainedAttempt,
  type NamedLayer,
  recording,
  stackOf,
} from '@heddle/upstream';
import { type HttpRequest, type HttpResponse, propagateIn, replayHttp, retryAfterMs } from '@heddle/wire';
import { errorsToAnswers } from './answer/errors-to-answers.ts';
import { health, type Readiness } from './answer/health.ts';
import { accessLogged } from './answer/access-log.ts';
import { compress } from './answer/compress.ts';
import { classifyAnswer } from './forward/classify.ts';
import { answerSize, content } from './forward/content.ts';
import { deadline } from './forward/deadline.ts';
import { forwarded } from './forward/forwarded.ts';
import { classifyByWords } from './forward/retry-words.ts';
import { noWebSockets } from './forward/tunnels.ts';
import { changeFields } from './action/change-fields.ts';
import { corsLayer } from './action/cors.ts';
import { forwardedHost } from './action/forwarded-host.ts';
import { rewritten } from './action/rewritten.ts';
import { routeFault } from './action/route-fault.ts';
import { authenticated, authorised, withoutClaims } from './auth/authenticated.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { decided, type OnDecision } from './decide/decided.ts';
import type { DecisionPoint } from './decide/decision-point.ts';
import type { LimitMetrics } from './limit/limit-metrics.ts';
import type { LimitStore } from './limit/limit-store.ts';
import { isAnonymous, limited } from './limit/limited.ts';
import type { Places } from './limit/places.ts';
import type { GatewayConfig } from './model/gateway-config.ts';
import type { RouteConfig } from './model/route.ts';
import { normalised } from './router/normalised.ts';
import { atItsServer } from './server/arrived.ts';
import type { Descriptors } from './transcode/descriptors.ts';
import { grpcWeb } from './transcode/grpc-web.ts';
import { transcoded } from './transcode/transcoded.ts';
import { hashed } from './upstream/hashed.ts';
import type { HashConfig } from './upstream/upstream-schema.ts';

/** A layer of HTTP. */
export type HttpLayer = Layer<HttpRequest, HttpResponse>;
type HttpLayers = readonly NamedLayer<HttpRequest, HttpResponse>[];

/** What the stack in front of the router needs. */
export interface GatewayStackOptions {
  readonly config: GatewayConfig;
  /** Counts what is answered; the same for every version of the configuration. */
  readonly measured: HttpLayer;
  readonly places: Places;
  /** Takes the lines of the access log. Must not throw, and not wait. */
  readonly writeAccess: (line: string) => void;
  readonly readiness: Readiness;
  readonly authenticator: Authenticator;
  /** Enforces the `policies` of the configuration; undefined where there are none. */
  readonly guard: HttpLayer | undefined;
}

/** Every request passes these, before its route is looked up. */
export function gatewayStack(options: GatewayStackOptions): HttpLayer {
  return stackOf(gatewayLayers(options));
}

/** The layers from the outside in. Each place has its reason, which `heddle explain layers` shows. */
export function gatewayLayers({
  config,
  measured,
  places,
  readiness,
  writeAccess,
  authenticator,
  guard,
}: GatewayStackOptions): HttpLayers {
  return [
    {
      name: 'health',
      why: 'Above all else: probes are neither traffic nor subject to its limits.',
      layer: health(readiness),
    },
    {
      name: 'metrics',
      why: 'Sees every answer, those that the layers below make out of errors included.',
      layer: measured,
    },
    {
      name: 'access log',
      why: 'Beside the metrics, which it agrees with.',
      layer: config.accessLog && accessLogged(config.accessLog, writeAccess),
    },
    {
      name: 'forwarded',
      why: "Above the errors, so that their answers carry the request's id too; above the router, so that no route can be reached with claims from outside.",
      layer: forwarded(config.trustedProxies),
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
      name: 'server',
      why: 'Where TLS has several servers: above the context, since what is at the wrong one is none of ours.',
      layer: atItsServer(config.servers),
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
      layer: places.atMost(config.limits.maxRequests),
    },
    {
      name: 'one spelling',
      why: 'One spelling of the path for everything that decides by it, and for the upstream.',
      layer: normalised,
    },
    {
      name: 'policies',
      why: 'Below the one spelling, which they judge; above all routes, since they are for each.',
      layer: guard,
    },
    {
      name: 'login',
      why: 'Below the one spelling, as it has paths of its own; above all routes, none of which may see its cookies.',
      layer: authenticator.login?.front,
    },
  ];
}

/** What `routeStack` needs. */
export interface RouteStackOptions {
  readonly route: RouteConfig;
  readonly config: GatewayConfig;
  readonly authenticator: Authenticator;
  readonly limitStore: LimitStore;
  readonly limitMetrics: LimitMetrics;
  /** Undefined: no route asks. */
  readonly decisionPoint: DecisionPoint | undefined;
  readonly onDecision: OnDecision;
  /** Of a route that transcodes. */
  readonly descriptors: Descriptors | undefined;
}

/** A request that has its route passes these, whatever the route does with it. */
export function routeStack(options: RouteStackOptions): HttpLayer {
  return stackOf(routeLayers(options));
}

/** The layers of a route, from the outside in. */
export function routeLayers(options: RouteStackOptions): HttpLayers {
  return [...admission(options), ...changes(options)];
}

/** Those that decide whether a request is served at all. */
function admission(options: RouteStackOptions): HttpLayers {
  const { route, config, authenticator, limitStore, limitMetrics, decisionPoint, onDecision } = options;
  const { cors, auth, access, decide, limits, name } = route;
  return [
    {
      name: 'CORS',
      why: 'Outermost: a page must be able to read refusals as well, and a preflight carries no credentials.',
      layer: cors && stack(corsLayer(cors), errorsToAnswers),
    },
    {
      name: 'compression',
      why: 'Sees the answer as it leaves, whoever has made it; below CORS, which only adds fields.',
      layer: route.compress && compress(route.compress),
    },
    {
      name: 'no tunnels',
      why: 'Before anything is done for what this route does not carry.',
      layer: route.webSocket ? undefined : noWebSockets,
    },
    {
      name: 'deadline',
      why: 'Above what is slow, on purpose or not: it bounds all attempts together.',
      layer: deadline(route.timeoutMs),
    },
    {
      name: 'limits of strangers',
      why: 'Before any proof is looked at: whoever guesses is limited too.',
      layer: limited(limits.filter(isAnonymous), name, limitStore, limitMetrics),
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
      name: 'decision point',
      why: 'Below the rules that need nobody else: what they refuse is not asked about.',
      layer: decide && decisionPoint && decided(decisionPoint, decide, name, onDecision),
    },
    {
      name: 'limits of callers',
      why: 'Below the proofs: they count by user and role.',
      layer: limited(
        limits.filter((limit) => !isAnonymous(limit)),
        name,
        limitStore,
        limitMetrics,
      ),
    },
  ];
}

/** Those that make of it what the upstream gets. */
function changes({ route, config, descriptors }: RouteStackOptions): HttpLayers {
  const { fault, rewrite } = route;
  return [
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
      layer: content(route.maxBodyBytes ?? config.limits.maxBodyBytes, route.buffer),
    },
    {
      name: 'answer size',
      why: "Beside 'content', for what comes back: as it comes from the upstream, before anything makes it smaller.",
      layer: route.maxResponseBytes === undefined ? undefined : answerSize(route.maxResponseBytes),
    },
    {
      name: 'rewrite',
      why: 'Last: everything above sees the path that was asked for.',
      layer: rewrite && rewritten(rewrite, route.match.path.value),
    },
    {
      name: 'host',
      why: "Beside 'rewrite': what is asked for is ours to decide by until here.",
      layer: forwardedHost(route.forwardHost),
    },
    {
      name: 'gRPC-Web',
      why: 'Below all that decides about a request: what it makes is only for the upstream.',
      layer: route.grpcWeb ? grpcWeb : undefined,
    },
    {
      name: 'transcoding',
      why: 'Below the rewrite, whose path its templates are for.',
      layer: descriptors && transcoded(descriptors, route.transcode?.alwaysAll === true),
    },
  ];
}

/** What `attemptStack` needs. The budget is shared by all routes to one upstream. */
export interface AttemptStackOptions {
  readonly route: RouteConfig;
  readonly upstream: string;
  readonly budget: RetryBudget;
  /** What its balancer keeps together, where it hashes. */
  readonly hash?: HashConfig | undefined;
  /** Where decision records go; undefined: none are made. */
  readonly decisions: DecisionLog | undefined;
}

/** A request that goes to an upstream passes these, above the upstream's balancer. */
export function attemptStack(options: AttemptStackOptions): HttpLayer {
  return stackOf(attemptLayers(options));
}

/** The layers from the choice of the upstream to the balancer. */
export function attemptLayers({ route, upstream, budget, hash, decisions }: AttemptStackOptions): HttpLayers {
  return [
    {
      name: 'hash key',
      why: 'Once for all attempts, from the request as it was asked.',
      layer: hash && hashed(hash),
    },
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
        classify: route.retryOn === undefined ? classifyAnswer : classifyByWords(route.retryOn),
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
    failed: (_req, { status }) => status >= 500,
    describe: (_req, _call, answer) =>
      answer === undefined
        ? { attributes }
        : { attributes: { ...attributes, 'http.response.status_code': answer.status } },
  };
}

function explain(route: RouteConfig, upstream: string, budget: RetryBudget, log: DecisionLog): HttpLayer {
  return explained({
    log,
    side: 'gateway',
    target: upstream,
    route: { name: route.name, rule: `${route.match.path.kind} ${route.match.path.value}` },
    operation: ({ method }) => `${method} ${route.match.path.value}`,
    classify: classifyAnswer,
    answer: answerOf,
    layers: () => ({ 'retry budget': `${budget.available} retries left` }),
  });
}

function answerOf({ status }: HttpResponse): string {
  return `status ${status}`;
}

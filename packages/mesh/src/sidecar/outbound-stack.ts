import { type Layer, stack } from '@heddle/kernel';
import { changeFields, corsLayer, deadline, keptBody, mirrored, ownAnswer } from '@heddle/proxy/layers';
import type { RetryBudget } from '@heddle/traffic';
import { type NamedLayer, stackOf } from '@heddle/upstream';
import { emptyBody, Fields, type HttpRequest, type HttpResponse, type HttpService } from '@heddle/wire';
import type { ClusterShare, RouteRule, RuleCors, RuleMatch, RuleMirror } from '../model/index.ts';
import type { ClusterPlace } from './clusters.ts';
import { faultRule } from './fault-rule.ts';
import { keptBytes, retryRule } from './retry-rule.ts';
import { rewriteRule } from './rewrite-rule.ts';
import { textTest } from './rule-test.ts';

type HttpLayer = Layer<HttpRequest, HttpResponse>;
type HttpLayers = readonly NamedLayer<HttpRequest, HttpResponse>[];

/** What services of rules are made with. */
export interface OutboundSurroundings {
  readonly place: (cluster: string) => ClusterPlace;
  readonly budget: RetryBudget;
}

const none = { remove: [], set: [], add: [] };
/** What a copy of a request may take that has no limit itself. */
const mirrorMs = 60_000;

/** What becomes of a request that a rule is for, by this of its matches. Throws `invalid_argument` / `BAD_RULE`. */
export function ruleService(
  rule: RouteRule,
  match: RuleMatch | undefined,
  surroundings: OutboundSurroundings,
): HttpService {
  const layers = stackOf(ruleLayers(rule, match, surroundings));
  const { action } = rule;
  if (action.kind === 'forward') return layers(shared(action.shares, rule, surroundings));
  const matched = match?.path?.value ?? '/';
  if (action.kind === 'redirect') return layers(ownAnswer(action, matched));
  return layers(ownAnswer({ ...action, contentType: 'text/plain' }, matched));
}

/** The layers of a rule from the outside in. */
export function ruleLayers(
  rule: RouteRule,
  match: RuleMatch | undefined,
  { place }: OutboundSurroundings,
): HttpLayers {
  const { cors, fault, timeoutMs, rewrite, request, response, mirrors = [], retry } = rule;
  const repeats = mirrors.length > 0 || (retry?.retries ?? 0) > 0;
  return [
    {
      name: 'CORS',
      why: 'Outermost: a page must be able to read refusals as well, and a preflight goes nowhere.',
      layer: cors && corsRule(cors),
    },
    {
      name: 'fault',
      why: 'Above the deadline, as Envoy has it: a delay on purpose is none of the service’s time.',
      layer: fault && faultRule(fault),
    },
    {
      name: 'deadline',
      why: 'Above what is slow: it bounds all attempts together.',
      layer: timeoutMs === undefined ? undefined : deadline(timeoutMs),
    },
    {
      name: 'kept content',
      why: 'Above all that may send the request more than once.',
      layer: repeats ? keptBody(keptBytes) : undefined,
    },
    {
      name: 'fields',
      why: 'Above the copies, which get what the service gets.',
      layer: changeFields(request ?? none, response ?? none),
    },
    {
      name: 'rewrite',
      why: "Beside 'fields': everything above sees what was asked for.",
      layer: rewrite && rewriteRule(rewrite, match?.path),
    },
    {
      name: 'mirror',
      why: 'Last before the way is chosen: one copy, however often the request is tried.',
      layer: mirrors.length === 0 ? undefined : mirrorsOf(mirrors, timeoutMs, place),
    },
  ];
}

/** The layers between the choice of a cluster and its balancer, from the outside in. */
export function shareLayers(
  { request, response }: Pick<ClusterShare, 'request' | 'response'>,
  place: ClusterPlace,
  retry: RouteRule['retry'],
  budget: RetryBudget,
): HttpLayers {
  return [
    {
      name: 'fields of the share',
      why: 'Below the choice, which they depend on.',
      layer: changeFields(request ?? none, response ?? none),
    },
    {
      name: 'hash key',
      why: 'Once for all attempts, from the request as the service gets it.',
      layer: (next) => place.hashed(next),
    },
    {
      name: 'retry',
      why: 'Above the balancer, which gives each attempt another instance; below the choice, so that attempts stay with a version.',
      layer: retry !== undefined && retry.retries > 0 ? retryRule(retry, budget) : undefined,
    },
    {
      name: 'balance',
      why: 'Innermost: below it there is one instance with its ejection, and its connections.',
      layer: (next) => next,
    },
  ];
}

/** One of the ways by weight. Attempts of one request all go the same. */
function shared(
  shares: readonly ClusterShare[],
  rule: RouteRule,
  { place, budget }: OutboundSurroundings,
): HttpService {
  const ways = shares.map((share) => {
    const at = place(share.cluster);
    return { weight: share.weight, service: stackOf(shareLayers(share, at, rule.retry, budget))(at.send) };
  });
  const [only] = ways;
  if (only !== undefined && ways.length === 1) return only.service;
  const total = ways.reduce((sum, { weight }) => sum + weight, 0);
  const last = ways.findLast(({ weight }) => weight > 0) ?? only;
  return (req, call) => {
    let left = call.runtime.random.float() * total;
    const way = ways.find(({ weight }) => {
      left -= weight;
      return left < 0;
    });
    return (way ?? last ?? nowhere).service(req, call);
  };
}

const nowhere: { readonly service: HttpService } = {
  service: async () => ({ status: 500, fields: new Fields(), body: emptyBody }),
};

function mirrorsOf(
  mirrors: readonly RuleMirror[],
  timeoutMs: number = mirrorMs,
  place: OutboundSurroundings['place'],
): HttpLayer {
  return stack(
    ...mirrors.map(({ cluster, percent }) => mirrored({ to: place(cluster).send, percent, timeoutMs })),
  );
}

/** Origins by pattern: whether one is allowed is found out first, then it is as if it had been named. */
function corsRule({ origins, maxAgeSeconds = 0, ...cors }: RuleCors): HttpLayer {
  const tests = origins.map(textTest);
  const isAny = origins.some(({ kind, value }) => kind === 'exact' && value === '*');
  const layerFor = (allowed: readonly string[]): HttpLayer =>
    corsLayer({ ...cors, maxAgeSeconds, origins: allowed });
  return (next) => {
    const any = layerFor(['*'])(next);
    const none = layerFor([])(next);
    return (req, call) => {
      if (isAny) return any(req, call);
      const origin = req.fields.get('origin');
      if (origin === undefined || !tests.some((test) => test(origin))) return none(req, call);
      return layerFor([origin])(next)(req, call);
    };
  };
}

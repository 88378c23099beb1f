import type { Any } from '@bufbuild/protobuf/wkt';
import {
  HeaderValueOption_HeaderAppendAction as AppendAction,
  type HeaderValueOptionSchema,
} from '../../gen/envoy/config/core/v3/base_pb.ts';
import type {
  RedirectActionSchema,
  RetryPolicy_RetryHostPredicateSchema,
  RetryPolicySchema,
  RouteAction_HashPolicySchema,
  RouteActionSchema,
  RouteSchema,
} from '../../gen/envoy/config/route/v3/route_components_pb.ts';
import { RedirectAction_RedirectResponseCode as RedirectCode } from '../../gen/envoy/config/route/v3/route_components_pb.ts';
import { CorsPolicySchema } from '../../gen/envoy/extensions/filters/http/cors/v3/cors_pb.ts';
import { HTTPFaultSchema } from '../../gen/envoy/extensions/filters/http/fault/v3/fault_pb.ts';
import type { Cluster, HashBy } from '../../model/cluster.ts';
import type {
  RetryRules,
  RouteRule,
  RuleAction,
  RuleCors,
  RuleFault,
  RuleRewrite,
} from '../../model/rule.ts';
import { routeMatches, stringMatcher } from './match.ts';
import { any, duration, fraction, type Init } from './message.ts';

type Route = Init<typeof RouteSchema>;
type RouteAction = Init<typeof RouteActionSchema>;
type Clusters = ReadonlyMap<string, Cluster>;

/** A rule as Envoy's routes: one for each of its matches. */
export function envoyRoutes(rule: RouteRule, clusters: Clusters): Route[] {
  const matches = rule.matches.length === 0 ? [{}] : rule.matches;
  const shared: Route = {
    name: rule.name,
    ...actionOf(rule, clusters),
    ...headerChanges(rule),
    typedPerFilterConfig: perFilter(rule),
  };
  return matches.flatMap((match) => routeMatches(match, 'envoy')).map((match) => ({ ...shared, match }));
}

/** Faults and CORS are done by filters, which a route tells what to do. */
function perFilter({ fault, cors }: RouteRule): Record<string, Any> {
  return {
    ...(fault !== undefined && { [filterNames.fault]: faultConfig(fault) }),
    ...(cors !== undefined && { [filterNames.cors]: corsConfig(cors) }),
  };
}

/** What filters are called in listeners and, to configure them, in routes. */
export const filterNames: { readonly fault: string; readonly cors: string } = {
  fault: 'envoy.filters.http.fault',
  cors: 'envoy.filters.http.cors',
};

/** As the fault filter of either plane takes it. */
export function faultConfig({ delay, abort }: RuleFault): Any {
  return any(HTTPFaultSchema, {
    ...(delay !== undefined && {
      delay: {
        faultDelaySecifier: { case: 'fixedDelay', value: duration(delay.ms) },
        percentage: fraction(delay.percent),
      },
    }),
    ...(abort !== undefined && {
      abort: {
        errorType:
          'status' in abort
            ? { case: 'httpStatus', value: abort.status }
            : { case: 'grpcStatus', value: abort.grpcStatus },
        percentage: fraction(abort.percent),
      },
    }),
  });
}

/** By what a route's choice of an instance is made, by the rules of its first cluster. */
export function hashPolicy(
  action: RuleAction,
  clusters: Clusters,
): Init<typeof RouteAction_HashPolicySchema>[] {
  if (action.kind !== 'forward') return [];
  const hash = action.shares.map(({ cluster }) => clusters.get(cluster)?.balance.hash).find(Boolean);
  return hash === undefined ? [] : [hashBy(hash)];
}

function hashBy({ by, name, ttlMs, path = '' }: HashBy): Init<typeof RouteAction_HashPolicySchema> {
  switch (by) {
    case 'header':
      return { policySpecifier: { case: 'header', value: { headerName: name } } };
    case 'cookie':
      return {
        policySpecifier: {
          case: 'cookie',
          value: { name, path, ...(ttlMs !== undefined && { ttl: duration(ttlMs) }) },
        },
      };
    case 'query':
      return { policySpecifier: { case: 'queryParameter', value: { name } } };
    case 'address':
      return { policySpecifier: { case: 'connectionProperties', value: { sourceIp: true } } };
  }
}

function actionOf(rule: RouteRule, clusters: Clusters): Route {
  const { action } = rule;
  switch (action.kind) {
    case 'forward':
      return { action: { case: 'route', value: forward(rule, action, clusters) } };
    case 'redirect':
      return { action: { case: 'redirect', value: redirect(action) } };
    case 'respond':
      return {
        action: {
          case: 'directResponse',
          value: {
            status: action.status,
            ...(action.body !== '' && { body: { specifier: { case: 'inlineString', value: action.body } } }),
          },
        },
      };
  }
}

function forward(
  rule: RouteRule,
  action: RuleAction & { readonly kind: 'forward' },
  clusters: Clusters,
): RouteAction {
  return {
    clusterSpecifier: {
      case: 'weightedClusters',
      value: {
        clusters: action.shares.map(({ cluster, weight, ...changes }) => ({
          name: cluster,
          weight,
          ...headerChanges(changes),
        })),
      },
    },
    // Envoy's own default is 15 s; without a rule there is no limit.
    timeout: duration(rule.timeoutMs ?? 0),
    ...rewriteOf(rule.rewrite),
    ...(rule.retry !== undefined && rule.retry.retries > 0 && { retryPolicy: retryPolicy(rule.retry) }),
    requestMirrorPolicies: (rule.mirrors ?? []).map(({ cluster, percent }) => ({
      cluster,
      runtimeFraction: { defaultValue: fraction(percent) },
    })),
    hashPolicy: hashPolicy(action, clusters),
  };
}

function rewriteOf(rewrite: RuleRewrite | undefined): RouteAction {
  const { path, authority } = rewrite ?? {};
  return {
    ...(path?.kind === 'prefix' && { prefixRewrite: path.to }),
    ...(path?.kind === 'regex' && {
      regexRewrite: { pattern: { regex: path.pattern }, substitution: path.to },
    }),
    ...(authority !== undefined && {
      hostRewriteSpecifier: { case: 'hostRewriteLiteral', value: authority },
    }),
  };
}

function retryPolicy(retry: RetryRules): Init<typeof RetryPolicySchema> {
  const statuses = retry.on.filter((each) => /^\d{3}$/.test(each)).map(Number);
  const words = retry.on.filter((each) => !/^\d{3}$/.test(each));
  if (statuses.length > 0 && !words.includes('retriable-status-codes')) words.push('retriable-status-codes');
  return {
    retryOn: words.join(','),
    numRetries: retry.retries,
    retriableStatusCodes: statuses,
    ...(retry.attemptTimeoutMs !== undefined && { perTryTimeout: duration(retry.attemptTimeoutMs) }),
    ...(retry.backoffMs !== undefined && { retryBackOff: { baseInterval: duration(retry.backoffMs) } }),
    retryHostPredicate: [otherHost],
    hostSelectionRetryMaxAttempts: 5n,
  };
}

/** As Istio: not again where it has just failed. */
const otherHost: Init<typeof RetryPolicy_RetryHostPredicateSchema> = {
  name: 'envoy.retry_host_predicates.previous_hosts',
  configType: {
    case: 'typedConfig',
    value: {
      typeUrl: 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
    },
  },
};

const redirectCodes = new Map([
  [301, RedirectCode.MOVED_PERMANENTLY],
  [302, RedirectCode.FOUND],
  [303, RedirectCode.SEE_OTHER],
  [307, RedirectCode.TEMPORARY_REDIRECT],
  [308, RedirectCode.PERMANENT_REDIRECT],
]);

function redirect({
  status,
  to,
}: RuleAction & { readonly kind: 'redirect' }): Init<typeof RedirectActionSchema> {
  const responseCode = redirectCodes.get(status) ?? RedirectCode.MOVED_PERMANENTLY;
  if (typeof to === 'string') {
    const place = new URL(to);
    return {
      responseCode,
      schemeRewriteSpecifier: { case: 'schemeRedirect', value: place.protocol.slice(0, -1) },
      hostRedirect: place.hostname,
      ...(place.port !== '' && { portRedirect: Number(place.port) }),
      pathRewriteSpecifier: { case: 'pathRedirect', value: `${place.pathname}${place.search}` },
    };
  }
  const { scheme, host, port, path } = to;
  return {
    responseCode,
    ...(scheme !== undefined && { schemeRewriteSpecifier: { case: 'schemeRedirect', value: scheme } }),
    ...(host !== undefined && { hostRedirect: host }),
    ...(port !== undefined && { portRedirect: port }),
    ...(path?.kind === 'full' && { pathRewriteSpecifier: { case: 'pathRedirect', value: path.value } }),
    ...(path?.kind === 'prefix' && { pathRewriteSpecifier: { case: 'prefixRewrite', value: path.value } }),
  };
}

function corsConfig(cors: RuleCors): Any {
  return any(CorsPolicySchema, {
    allowOriginStringMatch: cors.origins.map((origin) => stringMatcher(origin)),
    allowMethods: cors.methods.join(','),
    allowHeaders: cors.headers.join(','),
    exposeHeaders: cors.expose.join(','),
    allowCredentials: cors.credentials,
    ...(cors.maxAgeSeconds !== undefined && { maxAge: `${cors.maxAgeSeconds}` }),
  });
}

interface HeaderChanges {
  readonly requestHeadersToAdd: Init<typeof HeaderValueOptionSchema>[];
  readonly requestHeadersToRemove: string[];
  readonly responseHeadersToAdd: Init<typeof HeaderValueOptionSchema>[];
  readonly responseHeadersToRemove: string[];
}

function headerChanges({ request, response }: Pick<RouteRule, 'request' | 'response'>): HeaderChanges {
  return {
    requestHeadersToAdd: headersToAdd(request),
    requestHeadersToRemove: [...(request?.remove ?? [])],
    responseHeadersToAdd: headersToAdd(response),
    responseHeadersToRemove: [...(response?.remove ?? [])],
  };
}

function headersToAdd(changes: RouteRule['request']): Init<typeof HeaderValueOptionSchema>[] {
  const option =
    (appendAction: AppendAction) =>
    ([key, value]: readonly [string, string]) => ({
      header: { key, value },
      appendAction,
    });
  return [
    ...(changes?.set ?? []).map(option(AppendAction.OVERWRITE_IF_EXISTS_OR_ADD)),
    ...(changes?.add ?? []).map(option(AppendAction.APPEND_IF_EXISTS_OR_ADD)),
  ];
}

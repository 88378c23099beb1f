import type { RetryPolicySchema, RouteSchema } from '../../gen/envoy/config/route/v3/route_components_pb.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { RetryRules, RouteRule } from '../../model/rule.ts';
import { routeMatches } from './match.ts';
import { duration, type Init } from './message.ts';
import type { Report } from './plane.ts';
import { faultConfig, filterNames, hashPolicy } from './route.ts';

type Route = Init<typeof RouteSchema>;

const retriable = ['cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable'];

/** What gRPC calls the failures that Envoy's words stand for. */
const meaning: Readonly<Record<string, readonly string[]>> = {
  '5xx': ['unavailable', 'internal'],
  'gateway-error': ['unavailable'],
  'connect-failure': ['unavailable'],
  'refused-stream': ['unavailable'],
  reset: ['unavailable'],
  'retriable-status-codes': [],
  '502': ['unavailable'],
  '503': ['unavailable'],
  '504': ['unavailable'],
};

/**
 * A rule as gRPC's clients have it. What they cannot do is reported; a match that they would not understand is left
 * out whole, since without its condition it would take calls that are not its own.
 */
export function grpcRoutes(rule: RouteRule, clusters: ReadonlyMap<string, Cluster>, report: Report): Route[] {
  const { action, origin, retry, timeoutMs } = rule;
  const missing = (what: string, instead: string): void => report({ plane: 'grpc', origin, what, instead });
  if (action.kind !== 'forward') {
    missing(action.kind, 'the rule is left out: its calls find no route');
    return [];
  }
  if (rule.rewrite !== undefined) missing('rewrite', 'the call goes on as it is');
  if ((rule.request ?? rule.response) !== undefined) missing('changes of headers', 'they stay as they are');
  if ((rule.mirrors?.length ?? 0) > 0) missing('mirror', 'no copy is sent');
  if (rule.cors !== undefined) missing('CORS', 'no browser asks');
  if (retry?.attemptTimeoutMs !== undefined) missing('a timeout of each attempt', 'the timeout of the call');
  const policy = retry === undefined ? undefined : retryPolicy(retry, missing);
  const matches = (rule.matches.length === 0 ? [{}] : rule.matches).filter((match) => {
    if ((match.query?.length ?? 0) === 0) return true;
    missing('a condition on the query', 'the match is left out');
    return false;
  });
  const shared: Route = {
    name: rule.name,
    action: {
      case: 'route',
      value: {
        clusterSpecifier: {
          case: 'weightedClusters',
          value: { clusters: action.shares.map(({ cluster, weight }) => ({ name: cluster, weight })) },
        },
        ...(timeoutMs !== undefined && { maxStreamDuration: { maxStreamDuration: duration(timeoutMs) } }),
        ...(policy !== undefined && { retryPolicy: policy }),
        hashPolicy: hashPolicy(action, clusters),
      },
    },
    typedPerFilterConfig: rule.fault === undefined ? {} : { [filterNames.fault]: faultConfig(rule.fault) },
  };
  return matches.flatMap((match) => routeMatches(match, 'grpc')).map((match) => ({ ...shared, match }));
}

function retryPolicy(
  retry: RetryRules,
  missing: (what: string, instead: string) => void,
): Init<typeof RetryPolicySchema> | undefined {
  if (retry.retries === 0) return undefined;
  const on = new Set<string>();
  for (const word of retry.on) {
    const known = retriable.includes(word) ? [word] : meaning[word];
    if (known === undefined) missing(`retry on ${word}`, 'it is not repeated');
    for (const each of known ?? []) on.add(each);
  }
  if (on.size === 0) return undefined;
  const baseMs = retry.backoffMs ?? 25;
  return {
    retryOn: [...on].join(','),
    numRetries: retry.retries,
    retryBackOff: { baseInterval: duration(baseMs), maxInterval: duration(baseMs * 10) },
  };
}

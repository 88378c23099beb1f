import type {
  FilterChainSchema,
  FilterSchema,
} from '../../gen/envoy/config/listener/v3/listener_components_pb.ts';
import { TcpProxySchema } from '../../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts';
import type { RuleMatch } from '../../model/match.ts';
import type { RouteRule } from '../../model/rule.ts';
import { extension, type Init } from './message.ts';

type Chain = Init<typeof FilterChainSchema>;
type ChainMatch = NonNullable<Chain['filterChainMatch']>;
type Filter = Init<typeof FilterSchema>;

/** Connections that are passed on, told apart by what TLS asks for and by addresses. `guards`: filters before all else. */
export function connectionChains(
  rules: readonly RouteRule[],
  statPrefix: string,
  guards: readonly Filter[] = [],
): readonly Chain[] {
  const chains: Chain[] = [];
  for (const rule of rules) {
    const filters = [...guards, tcpProxy(statPrefix, rule)];
    for (const match of rule.matches.length === 0 ? [{}] : rule.matches) {
      const filterChainMatch = chainMatch(match);
      const isOpen = Object.keys(filterChainMatch).length === 0;
      chains.push({ filters, ...(!isOpen && { filterChainMatch }) });
    }
    if (rule.matches.length === 0) break;
  }
  return firstOfEach(chains);
}

/** Envoy takes no condition twice; the first is meant. */
export function firstOfEach(chains: readonly Chain[]): readonly Chain[] {
  const first = new Map<string, Chain>();
  for (const chain of chains) {
    const key = JSON.stringify(chain.filterChainMatch ?? {});
    if (!first.has(key)) first.set(key, chain);
  }
  return [...first.values()];
}

function chainMatch({ sni = [], destinationSubnets = [], sourceSubnet }: RuleMatch): ChainMatch {
  return {
    ...(sni.length > 0 && { serverNames: [...sni] }),
    ...(destinationSubnets.length > 0 && { prefixRanges: destinationSubnets.map(rangeOf) }),
    ...(sourceSubnet !== undefined && { sourcePrefixRanges: [rangeOf(sourceSubnet)] }),
  };
}

function rangeOf(block: string): { addressPrefix: string; prefixLen: number } {
  const [addressPrefix = '', length] = block.split('/');
  const whole = addressPrefix.includes(':') ? 128 : 32;
  return { addressPrefix, prefixLen: length === undefined ? whole : Number(length) };
}

function tcpProxy(statPrefix: string, { action }: RouteRule): Filter {
  const shares = action.kind === 'forward' ? action.shares.filter(({ weight }) => weight > 0) : [];
  const [only] = shares;
  return extension('envoy.filters.network.tcp_proxy', TcpProxySchema, {
    statPrefix,
    clusterSpecifier:
      shares.length === 1 && only !== undefined
        ? { case: 'cluster', value: only.cluster }
        : {
            case: 'weightedClusters',
            value: { clusters: shares.map(({ cluster, weight }) => ({ name: cluster, weight })) },
          },
  });
}

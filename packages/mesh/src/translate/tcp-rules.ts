import type { RouteRule, RuleMatch } from '../model/index.ts';
import type { ResourceOf, TcpMatch, TcpRule, TlsMatch, TlsRule } from '../resources/index.ts';
import { clusterOf, type RuleUse } from './http-rules.ts';
import { originOf, type Translation } from './scope.ts';

type VirtualService = ResourceOf<'VirtualService'>;

/** The rules of a VirtualService for connections that are passed on as they are: by server name where they are of TLS. */
export function tcpRules(
  service: VirtualService,
  use: RuleUse & { readonly tls: boolean },
  translation: Translation,
): readonly RouteRule[] {
  const written: readonly (TlsRule | TcpRule)[] = (use.tls ? service.spec.tls : service.spec.tcp) ?? [];
  return written.flatMap((rule, index): RouteRule[] => {
    const matches = (rule.match ?? []).filter((match) => isFor(match, service, use));
    if ((rule.match ?? []).length > 0 && matches.length === 0) return [];
    const { namespace, name } = service.metadata;
    const shares = (rule.route ?? []).map(({ destination, weight = 1 }) => ({
      cluster: clusterOf(destination, namespace, use, translation),
      weight,
    }));
    const conditions = matches.map(matchOf);
    // One without a condition holds for all, whatever the others say.
    const isOpen = conditions.some((each) => Object.keys(each).length === 0);
    return [
      {
        name: `${name}.${use.tls ? 'tls' : 'tcp'}.${index}`,
        origin: originOf(service),
        matches: isOpen ? [] : conditions,
        action: { kind: 'forward', shares },
      },
    ];
  });
}

function isFor(match: TlsMatch | TcpMatch, { spec, metadata }: VirtualService, use: RuleUse): boolean {
  const gateways = match.gateways ?? spec.gateways ?? ['mesh'];
  const named = gateways.map((each) =>
    each === 'mesh' || each.includes('/') ? each : `${metadata.namespace}/${each}`,
  );
  return named.includes(use.gateway) && (match.port === undefined || match.port === use.port);
}

function matchOf(match: TlsMatch | TcpMatch): RuleMatch {
  const { destinationSubnets = [], sourceLabels, sourceNamespace } = match;
  const sni = 'sniHosts' in match ? match.sniHosts.filter((host) => host !== '*') : [];
  const sourceSubnet = 'sourceSubnet' in match ? match.sourceSubnet : undefined;
  return {
    ...(sni.length > 0 && { sni: sni.map((host) => host.toLowerCase()) }),
    ...(destinationSubnets.length > 0 && { destinationSubnets }),
    ...(sourceSubnet !== undefined && { sourceSubnet }),
    ...((sourceLabels !== undefined || sourceNamespace !== undefined) && {
      source: { namespace: sourceNamespace ?? '', labels: sourceLabels ?? {} },
    }),
  };
}

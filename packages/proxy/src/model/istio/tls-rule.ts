import { list, object, type Place, type Read, whole } from '../document.ts';
import { commonHost } from '../server.ts';
import { type Destination, destination, gatewayName, hostName, label, labels, mesh } from './values.ts';

/** One of the conditions of a rule for connections: the names that TLS asks for. */
export interface TlsMatch {
  readonly sniHosts: readonly string[];
  /** Undefined: any. */
  readonly port: number | undefined;
  /** False for one that is for sidecars only. */
  readonly isOurs: boolean;
}

/** A rule for connections whose TLS is passed on. */
export interface TlsRule {
  readonly matches: readonly TlsMatch[];
  readonly route: readonly { destination: Destination; weight?: number }[];
}

const match: Read<TlsMatch> = (at) => {
  const made = object<{
    sniHosts: string[];
    port?: number;
    gateways?: string[];
    sourceLabels?: unknown;
    sourceNamespace?: string;
  }>(
    {
      sniHosts: list(hostName, 100),
      port: whole(1, 65_535),
      gateways: list(gatewayName, 16),
      sourceLabels: labels,
      sourceNamespace: label,
    },
    ['sniHosts'],
  )(at);
  if (made === undefined) return undefined;
  const isOurs =
    made.sourceLabels === undefined &&
    made.sourceNamespace === undefined &&
    made.gateways?.every((name) => name === mesh) !== true;
  return { sniHosts: made.sniHosts, port: made.port, isOurs };
};

/** Reads one of the `tls` of a VirtualService. */
export const tlsRule: Read<TlsRule> = (at) => {
  const made = object<{ match: TlsMatch[]; route: { destination: Destination; weight?: number }[] }>(
    {
      match: list(match, 64),
      route: list(
        object<{ destination: Destination; weight?: number }>({ destination, weight: whole(0, 1_000_000) }, [
          'destination',
        ]),
        16,
      ),
    },
    ['match', 'route'],
  )(at);
  if (made === undefined) return undefined;
  if (made.route.length === 0) return at.problem('expected at least one destination in "route"');
  return { matches: made.match, route: made.route };
};

/** Names that a rule asks for must be among the hosts of its VirtualService, as in Istio. */
export function reportOtherNames(at: Place, { matches }: TlsRule, hosts: readonly string[]): void {
  for (const name of matches.flatMap(({ sniHosts }) => sniHosts))
    if (!hosts.some((host) => commonHost(name, host) === name))
      at.problem(`"${name}" is not among the hosts of the VirtualService: ${hosts.join(', ')}`);
}

import type {
  GatewayListener,
  GatewaySecret,
  GatewayServer,
  RouteRule,
  Undone,
  VirtualHost,
} from '../model/index.ts';
import {
  type GatewayServer as IstioServer,
  type Listener,
  ofType,
  type ParentRef,
  type ResourceOf,
} from '../resources/index.ts';
import { gatewaySecrets } from './gateway-secrets.ts';
import { gatewayTls, terminated } from './gateway-tls.ts';
import { httpRules, type RuleUse } from './http-rules.ts';
import type { KubernetesRoute } from './kubernetes-route.ts';
import { bySpecificity, kubernetesRules } from './kubernetes-rules.ts';
import { originOf, type Translation } from './scope.ts';
import { tcpRules } from './tcp-rules.ts';

/** What a workload listens on as a gateway, of both kinds of Gateway; several servers of one port are one listener. */
export function gatewayOf(
  subject: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  translation: Translation,
): GatewaySide {
  const undone: Undone[] = [];
  const istio = ofType(translation.resources, 'Gateway').filter(({ spec }) =>
    Object.entries(spec.selector ?? {}).every(([key, value]) => subject.labels[key] === value),
  );
  const name = subject.labels['gateway.networking.k8s.io/gateway-name'];
  const kubernetes = ofType(translation.resources, 'KubernetesGateway').filter(
    ({ metadata }) => metadata.name === name && metadata.namespace === subject.namespace,
  );
  const gateway = joined([
    ...istio.flatMap((each) =>
      (each.spec.servers ?? []).flatMap((server) => ofServer(each, server, translation, undone) ?? []),
    ),
    ...kubernetes.flatMap((each) =>
      each.spec.listeners.map((listener) => ofListener(each, listener, translation)),
    ),
  ]);
  const secrets = gatewaySecrets(gateway, subject.namespace, translation, undone);
  return { gateway, secrets, undone };
}

/** A workload's side as a gateway; empty for one that is none. */
export interface GatewaySide {
  readonly gateway: readonly GatewayListener[];
  readonly secrets: readonly GatewaySecret[];
  readonly undone: readonly Undone[];
}

interface PlacedServer extends GatewayServer {
  readonly address: string;
  readonly port: number;
}

/** By place. What comes in plaintext is told apart by the names of HTTP alone, and is one server therefore. */
function joined(placed: readonly PlacedServer[]): readonly GatewayListener[] {
  return [...Map.groupBy(placed, ({ address, port }) => `${address}:${port}`).values()].flatMap((all) => {
    const [first] = all;
    if (first === undefined) return [];
    const { address, port } = first;
    const servers = all.map(({ address: _, port: __, ...server }) => server);
    const plain = servers.filter(({ tls, protocol }) => tls === undefined && protocol !== 'tcp');
    const others = servers.filter((each) => !plain.includes(each));
    const [one] = plain;
    const together = one === undefined ? [] : [{ ...one, hosts: plain.flatMap(({ hosts }) => hosts) }];
    return [{ address, port, servers: [...together, ...others] }];
  });
}

function ofServer(
  gateway: ResourceOf<'Gateway'>,
  server: IstioServer,
  translation: Translation,
  undone: Undone[],
): PlacedServer | undefined {
  const { port, hosts, bind } = server;
  const plain = hosts.map((host) => host.slice(host.indexOf('/') + 1).toLowerCase());
  const tls = gatewayTls(server, (what, instead) =>
    undone.push({ origin: originOf(gateway), what, instead }),
  );
  if (tls === 'none') return undefined;
  const protocol = tls?.mode === 'passthrough' ? 'tcp' : protocolOf(port.protocol);
  const use = { gateway: `${gateway.metadata.namespace}/${gateway.metadata.name}`, port: port.number };
  const isPassed = protocol === 'tcp';
  return {
    address: bind ?? '0.0.0.0',
    port: port.number,
    protocol,
    ...(tls !== undefined && { tls }),
    sni: tls === undefined || plain.includes('*') ? [] : plain,
    rules: isPassed ? connectionRules(use, plain, tls?.mode === 'passthrough', translation) : [],
    hosts: isPassed
      ? []
      : server.tls?.httpsRedirect === true
        ? [{ hosts: plain, rules: [toHttps(gateway)] }]
        : virtualHosts(use, plain, translation),
  };
}

function protocolOf(written: string): GatewayServer['protocol'] {
  const protocol = written.toUpperCase();
  if (protocol === 'HTTP' || protocol === 'HTTPS') return 'http';
  return protocol === 'HTTP2' || protocol === 'GRPC' ? 'http2' : 'tcp';
}

function toHttps(gateway: ResourceOf<'Gateway'>): RouteRule {
  const to = { scheme: 'https', host: undefined, port: undefined, path: undefined } as const;
  return {
    name: 'https',
    origin: originOf(gateway),
    matches: [],
    action: { kind: 'redirect', status: 301, to },
  };
}

/** The VirtualServices that are attached to a gateway and have hosts in common with it. */
function attached(
  { gateway }: RuleUse,
  served: readonly string[],
  translation: Translation,
): readonly { readonly service: ResourceOf<'VirtualService'>; readonly hosts: readonly string[] }[] {
  return ofType(translation.resources, 'VirtualService').flatMap((service) => {
    const named = (service.spec.gateways ?? []).map((each) =>
      each.includes('/') ? each : `${service.metadata.namespace}/${each}`,
    );
    const hosts = (service.spec.hosts ?? []).flatMap((host) => common(host.toLowerCase(), served));
    return named.includes(gateway) && hosts.length > 0 ? [{ service, hosts }] : [];
  });
}

function virtualHosts(
  use: RuleUse,
  served: readonly string[],
  translation: Translation,
): readonly VirtualHost[] {
  return attached(use, served, translation).flatMap(({ service, hosts }) => {
    const rules = httpRules(service, use, translation);
    return rules.length > 0 ? [{ hosts, rules }] : [];
  });
}

/** Of connections: by the names that TLS asks for where it is passed on, else as they come. */
function connectionRules(
  use: RuleUse,
  served: readonly string[],
  tls: boolean,
  translation: Translation,
): readonly RouteRule[] {
  return attached(use, served, translation).flatMap(({ service }) =>
    tcpRules(service, { ...use, tls }, translation),
  );
}

/** What a host and the hosts that are served have in common. */
function common(host: string, served: readonly string[]): readonly string[] {
  const found = served.flatMap((other) => {
    if (other === '*' || other === host) return [host];
    if (other.startsWith('*.') && host.endsWith(other.slice(1))) return [host];
    return host === '*' || (host.startsWith('*.') && other.endsWith(host.slice(1))) ? [other] : [];
  });
  return [...new Set(found)];
}

function ofListener(
  gateway: ResourceOf<'KubernetesGateway'>,
  listener: Listener,
  translation: Translation,
): PlacedServer {
  const { port, protocol, hostname = '*', tls } = listener;
  const [certificate] = tls?.certificateRefs ?? [];
  const routes: readonly KubernetesRoute[] = [
    ...ofType(translation.resources, 'HTTPRoute'),
    ...ofType(translation.resources, 'GRPCRoute'),
  ];
  const hosts = routes
    .filter((route) => mayAttach(route, gateway, listener))
    .flatMap((route) => {
      const names = (route.spec.hostnames ?? [hostname]).flatMap((host) =>
        common(host.toLowerCase(), [hostname]),
      );
      return names.length === 0 ? [] : [{ hosts: names, rules: kubernetesRules(route, translation) }];
    });
  return {
    address: '0.0.0.0',
    port,
    protocol: protocolOf(protocol),
    ...(certificate !== undefined && { tls: terminated({ kind: 'secret', name: certificate.name }) }),
    sni: certificate === undefined || hostname === '*' ? [] : [hostname.toLowerCase()],
    hosts: byHost(hosts),
    rules: [],
  };
}

/** Routes of one name share it, the most specific rule of all of them first. */
function byHost(hosts: readonly VirtualHost[]): readonly VirtualHost[] {
  const rules = new Map<string, RouteRule[]>();
  for (const each of hosts) {
    for (const host of each.hosts) rules.set(host, [...(rules.get(host) ?? []), ...each.rules]);
  }
  return [...rules].map(([host, all]) => ({ hosts: [host], rules: all.toSorted(bySpecificity) }));
}

function mayAttach(
  route: KubernetesRoute,
  gateway: ResourceOf<'KubernetesGateway'>,
  listener: Listener,
): boolean {
  const refers = (parent: ParentRef): boolean =>
    (parent.kind ?? 'Gateway') === 'Gateway' &&
    parent.name === gateway.metadata.name &&
    (parent.namespace ?? route.metadata.namespace) === gateway.metadata.namespace &&
    (parent.sectionName === undefined || parent.sectionName === listener.name) &&
    (parent.port === undefined || parent.port === listener.port);
  const { from = 'Same' } = listener.allowedRoutes?.namespaces ?? {};
  const near = from === 'All' || (from === 'Same' && route.metadata.namespace === gateway.metadata.namespace);
  return near && (route.spec.parentRefs ?? []).some(refers);
}

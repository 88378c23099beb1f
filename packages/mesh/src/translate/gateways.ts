import type { GatewayListener, RouteRule, VirtualHost } from '../model/index.ts';
import {
  type GatewayServer,
  type Listener,
  ofType,
  type ParentRef,
  type ResourceOf,
} from '../resources/index.ts';
import { httpRules } from './http-rules.ts';
import type { KubernetesRoute } from './kubernetes-route.ts';
import { bySpecificity, kubernetesRules } from './kubernetes-rules.ts';
import { originOf, type Translation } from './scope.ts';

/** What a workload listens on as a gateway, of both kinds of Gateway; several servers of one port are one listener. */
export function gatewayListeners(
  subject: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  translation: Translation,
): readonly GatewayListener[] {
  const istio = ofType(translation.resources, 'Gateway').filter(({ spec }) =>
    Object.entries(spec.selector ?? {}).every(([key, value]) => subject.labels[key] === value),
  );
  const name = subject.labels['gateway.networking.k8s.io/gateway-name'];
  const kubernetes = ofType(translation.resources, 'KubernetesGateway').filter(
    ({ metadata }) => metadata.name === name && metadata.namespace === subject.namespace,
  );
  return joined([
    ...istio.flatMap((gateway) =>
      (gateway.spec.servers ?? []).map((server) => ofServer(gateway, server, translation)),
    ),
    ...kubernetes.flatMap((gateway) =>
      gateway.spec.listeners.map((each) => ofListener(gateway, each, translation)),
    ),
  ]);
}

function joined(listeners: readonly GatewayListener[]): readonly GatewayListener[] {
  const byPort = new Map<string, GatewayListener>();
  for (const listener of listeners) {
    const key = `${listener.address}:${listener.port}`;
    const before = byPort.get(key);
    byPort.set(
      key,
      before === undefined ? listener : { ...before, hosts: [...before.hosts, ...listener.hosts] },
    );
  }
  return [...byPort.values()];
}

function ofServer(
  gateway: ResourceOf<'Gateway'>,
  server: GatewayServer,
  translation: Translation,
): GatewayListener {
  const { port, hosts, bind, tls } = server;
  const plain = hosts.map((host) => host.slice(host.indexOf('/') + 1).toLowerCase());
  const secret = tls?.credentialName ?? tls?.serverCertificate;
  const clients =
    tls?.mode === 'MUTUAL' || tls?.mode === 'ISTIO_MUTUAL'
      ? 'require'
      : tls?.mode === 'OPTIONAL_MUTUAL'
        ? 'optional'
        : 'off';
  return {
    address: bind ?? '0.0.0.0',
    port: port.number,
    protocol: protocolOf(port.protocol),
    ...(secret !== undefined && { tls: { secret, clients } }),
    hosts:
      tls?.httpsRedirect === true
        ? [{ hosts: plain, rules: [toHttps(gateway)] }]
        : virtualHosts(gateway, plain, port.number, translation),
  };
}

function protocolOf(written: string): GatewayListener['protocol'] {
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

function virtualHosts(
  { metadata }: ResourceOf<'Gateway'>,
  served: readonly string[],
  port: number,
  translation: Translation,
): readonly VirtualHost[] {
  const own = `${metadata.namespace}/${metadata.name}`;
  return ofType(translation.resources, 'VirtualService').flatMap((service) => {
    const named = (service.spec.gateways ?? []).map((each) =>
      each.includes('/') ? each : `${service.metadata.namespace}/${each}`,
    );
    const hosts = (service.spec.hosts ?? []).flatMap((host) => common(host.toLowerCase(), served));
    const rules = httpRules(service, { gateway: own, port }, translation);
    return named.includes(own) && hosts.length > 0 && rules.length > 0 ? [{ hosts, rules }] : [];
  });
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
): GatewayListener {
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
    ...(certificate !== undefined && { tls: { secret: certificate.name, clients: 'off' as const } }),
    hosts: byHost(hosts),
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

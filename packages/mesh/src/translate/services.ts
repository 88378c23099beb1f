import { clusterName, type RouteRule, type ServiceListener } from '../model/index.ts';
import type { ResourceOf } from '../resources/index.ts';
import { Directory, type DirectoryPort, type DirectoryService } from './directory.ts';
import { defaultRetry, httpRules } from './http-rules.ts';
import type { KubernetesRoute } from './kubernetes-route.ts';
import { bySpecificity, kubernetesRules } from './kubernetes-rules.ts';
import type { Translation } from './scope.ts';
import { tcpRules } from './tcp-rules.ts';

/** The listeners of a service inside of the mesh: one for each port, with the rules that are about it. */
export function listenersOf(service: DirectoryService, translation: Translation): readonly ServiceListener[] {
  const address = translation.options.addressOf?.(service.host);
  return service.ports.map((port) => ({
    host: service.host,
    namespace: service.namespace,
    aliases: aliasesOf(service, translation),
    port: port.number,
    ...(address !== undefined && { address }),
    protocol: port.protocol,
    rules: rulesFor(service, port, translation),
    visibleIn: service.visibleIn,
  }));
}

/** Short names that mean this service and no other: the plain name only where one namespace alone has it. */
function aliasesOf({ name, namespace }: DirectoryService, { lookups }: Translation): readonly string[] {
  if (name === '') return [];
  return [...(lookups.isAlone(name) ? [name] : []), `${name}.${namespace}`, `${name}.${namespace}.svc`];
}

function rulesFor(
  service: DirectoryService,
  port: DirectoryPort,
  translation: Translation,
): readonly RouteRule[] {
  const straight = clusterName({ host: service.host, port: port.number, subset: '' });
  const fallback: RouteRule = {
    name: 'default',
    origin: '',
    matches: [],
    action: { kind: 'forward', shares: [{ cluster: straight, weight: 1 }] },
    ...(port.protocol !== 'tcp' && { retry: defaultRetry }),
  };
  const written = virtualServiceFor(service, translation);
  if (port.protocol === 'tcp') {
    const use = { gateway: 'mesh', port: port.number, tls: port.tls };
    const rules = written === undefined ? [] : tcpRules(written, use, translation);
    return rules.some(({ matches }) => matches.length === 0) ? rules : [...rules, fallback];
  }
  if (written !== undefined) return httpRules(written, { gateway: 'mesh', port: port.number }, translation);
  const routes = routesFor(service, port, translation).flatMap((route) =>
    kubernetesRules(route, translation),
  );
  return routes.length === 0 ? [fallback] : routes.toSorted(bySpecificity);
}

/** The VirtualService of a host in the mesh: one that names it before a wildcard, then the oldest. */
function virtualServiceFor(
  service: DirectoryService,
  { lookups, directory }: Translation,
): ResourceOf<'VirtualService'> | undefined {
  const narrowest = ({ metadata, spec }: ResourceOf<'VirtualService'>): number =>
    Math.max(
      ...(spec.hosts ?? []).map((host) => {
        const full = directory.fullName(host, metadata.namespace);
        if (full === service.host) return Number.POSITIVE_INFINITY;
        return full === '*' || (full.startsWith('*') && service.host.endsWith(full.slice(1)))
          ? full.length
          : 0;
      }),
    );
  const about = lookups
    .virtualServices(service.host)
    .filter(
      (each) =>
        (each.spec.gateways ?? ['mesh']).includes('mesh') && narrowest(each) > 0 && isSeen(each, service),
    );
  const age = ({ metadata }: ResourceOf<'VirtualService'>): string =>
    `${metadata.creationTimestamp ?? ''}/${metadata.name}`;
  return about.toSorted((a, b) => {
    const [one, other] = [narrowest(a), narrowest(b)];
    return one === other ? age(a).localeCompare(age(b)) : one > other ? -1 : 1;
  })[0];
}

/** Rules that only their own namespace sees cannot be told to the callers of all others. */
function isSeen({ metadata, spec }: ResourceOf<'VirtualService'>, service: DirectoryService): boolean {
  const namespaces = Directory.visibleIn(spec.exportTo, metadata.namespace);
  return namespaces.length === 0 || namespaces.includes(service.namespace);
}

function routesFor(
  service: DirectoryService,
  port: DirectoryPort,
  { lookups }: Translation,
): readonly KubernetesRoute[] {
  return lookups
    .routes(service)
    .filter(({ metadata, spec }) =>
      (spec.parentRefs ?? []).some(
        (parent) =>
          parent.kind === 'Service' &&
          parent.name === service.name &&
          (parent.namespace ?? metadata.namespace) === service.namespace &&
          (parent.port === undefined || parent.port === port.number),
      ),
    );
}

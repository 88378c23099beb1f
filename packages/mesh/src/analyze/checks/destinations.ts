import type { Destination, HttpRule, Path, ResourceOf } from '../../resources/index.ts';
import { Directory, type DirectoryService } from '../../translate/index.ts';
import type { Check, Tell } from '../check.ts';
import type { Inventory, KnownWorkload } from '../inventory.ts';
import { isInstalled } from './gateways.ts';
import { overlap } from './host-overlap.ts';

/** Destinations of VirtualServices: hosts, ports, subsets, delegates, gateways. */
export const destinations: Check = (inventory, tell) => {
  for (const service of inventory.of('VirtualService')) {
    for (const { destination, path } of destinationsOf(service)) {
      checkDestination(service, destination, path, inventory, tell);
    }
    for (const [index, rule] of (service.spec.http ?? []).entries()) {
      checkDelegate(service, rule, ['spec', 'http', index], inventory, tell);
    }
    checkGateways(service, inventory, tell);
    checkRulesAtGateway(service, inventory, tell);
  }
};

/** Every destination of a VirtualService with its place. */
export function* destinationsOf({
  spec,
}: ResourceOf<'VirtualService'>): Iterable<{ readonly destination: Destination; readonly path: Path }> {
  for (const kind of ['http', 'tls', 'tcp'] as const) {
    for (const [index, rule] of (spec[kind] ?? []).entries()) {
      const at: Path = ['spec', kind, index];
      for (const [share, { destination }] of (rule.route ?? []).entries()) {
        yield { destination, path: [...at, 'route', share, 'destination'] };
      }
      if (kind === 'http') yield* mirrorsOf(rule, at);
    }
  }
}

function* mirrorsOf(
  rule: HttpRule,
  at: Path,
): Iterable<{ readonly destination: Destination; readonly path: Path }> {
  if (rule.mirror !== undefined) yield { destination: rule.mirror, path: [...at, 'mirror'] };
  for (const [index, { destination }] of (rule.mirrors ?? []).entries()) {
    yield { destination, path: [...at, 'mirrors', index, 'destination'] };
  }
}

function checkDestination(
  service: ResourceOf<'VirtualService'>,
  { host, subset, port }: Destination,
  path: Path,
  inventory: Inventory,
  tell: Tell,
): void {
  const { namespace } = service.metadata;
  const found = inventory.directory.find(host, namespace);
  if (found === undefined || !isSeen(found, namespace)) {
    const why = found === undefined ? 'there is no' : 'this namespace does not see the';
    tell('DESTINATION_HOST_NOT_FOUND', service, [...path, 'host'], `${why} host "${host}"`);
  } else {
    checkPort(service, found, port?.number, path, tell);
  }
  if (subset !== undefined && !hasSubset(host, subset, namespace, inventory)) {
    tell('SUBSET_NOT_FOUND', service, [...path, 'subset'], `the host "${host}" has no subset "${subset}"`);
  }
}

function checkPort(
  service: ResourceOf<'VirtualService'>,
  { ports, host }: DirectoryService,
  number: number | undefined,
  path: Path,
  tell: Tell,
): void {
  const numbers = ports.map((each) => each.number);
  if (number !== undefined && numbers.length > 0 && !numbers.includes(number)) {
    const message = `${host} has the ports ${numbers.join(', ')}, not ${number}`;
    tell('DESTINATION_PORT_NOT_FOUND', service, [...path, 'port', 'number'], message);
  }
  const named = (service.spec.gateways ?? ['mesh']).some((gateway) => gateway !== 'mesh');
  if (number === undefined && numbers.length > 1) {
    // Inside of the mesh the port that was called is taken; a gateway’s port is another service’s.
    const severity = named ? 'error' : 'info';
    tell('DESTINATION_PORT_NEEDED', service, path, `${host} has the ports ${numbers.join(', ')}`, {
      severity,
    });
  }
}

function isSeen({ visibleIn }: DirectoryService, namespace: string): boolean {
  return visibleIn.length === 0 || visibleIn.includes(namespace);
}

function hasSubset(host: string, subset: string, namespace: string, inventory: Inventory): boolean {
  const full = inventory.directory.fullName(host, namespace);
  return inventory.of('DestinationRule').some(({ metadata, spec }) => {
    const of = inventory.directory.fullName(spec.host, metadata.namespace);
    const matches = of === full || (of.startsWith('*') && full.endsWith(of.slice(1)));
    const visible = Directory.visibleIn(spec.exportTo, metadata.namespace);
    return (
      matches &&
      (visible.length === 0 || visible.includes(namespace)) &&
      (spec.subsets ?? []).some(({ name }) => name === subset)
    );
  });
}

function checkDelegate(
  service: ResourceOf<'VirtualService'>,
  { delegate }: HttpRule,
  path: Path,
  inventory: Inventory,
  tell: Tell,
): void {
  if (delegate === undefined) return;
  const { name = '', namespace = service.metadata.namespace } = delegate;
  const found = inventory
    .of('VirtualService')
    .some(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  if (!found)
    tell(
      'DELEGATE_NOT_FOUND',
      service,
      [...path, 'delegate'],
      `there is no VirtualService ${namespace}/${name}`,
    );
}

function checkGateways(service: ResourceOf<'VirtualService'>, inventory: Inventory, tell: Tell): void {
  const { metadata, spec } = service;
  for (const [index, written] of (spec.gateways ?? []).entries()) {
    const path: Path = ['spec', 'gateways', index];
    if (written === 'mesh') continue;
    if (written.includes('~istio-autogenerated-k8s-gateway')) {
      tell('GATEWAY_OF_KUBERNETES', service, path, `"${written}" is a name of Istio’s own`);
      continue;
    }
    const dotted = written.includes('.') && !written.includes('/');
    if (dotted) tell('GATEWAY_NAME_FORM', service, path, `"${written}" is not of the form namespace/name`);
    const [namespace = '', name = ''] = written.includes('/')
      ? written.split('/')
      : partsOf(written, metadata.namespace);
    const gateway = inventory
      .of('Gateway')
      .find((each) => each.metadata.name === name && each.metadata.namespace === namespace);
    if (gateway === undefined)
      tell('GATEWAY_NOT_FOUND', service, path, `there is no Gateway ${namespace}/${name}`);
    else {
      checkHosts(service, gateway, path, tell);
      checkClaims(service, gateway, inventory, tell);
    }
  }
}

/** `name.namespace.svc…` is understood, although it is not a form of today. */
function partsOf(written: string, namespace: string): readonly [string, string] {
  const [name = '', of] = written.split('.');
  return [of ?? namespace, name];
}

/** The hosts that a Gateway serves for rules of a namespace: those with another namespace before them are not for it. */
function servedHosts({ metadata, spec }: ResourceOf<'Gateway'>, namespace: string): readonly string[] {
  return (spec.servers ?? []).flatMap(({ hosts }) =>
    hosts.flatMap((host) => {
      const slash = host.indexOf('/');
      const scope = slash < 0 ? '*' : host.slice(0, slash);
      const isFor = scope === '*' || (scope === '.' ? metadata.namespace : scope) === namespace;
      return isFor ? [host.slice(slash + 1)] : [];
    }),
  );
}

/** Rules of which some host is served are attached; the hosts that are not have no rules there. */
function checkHosts(
  service: ResourceOf<'VirtualService'>,
  gateway: ResourceOf<'Gateway'>,
  path: Path,
  tell: Tell,
): void {
  const served = servedHosts(gateway, service.metadata.namespace);
  const hosts = service.spec.hosts ?? [];
  if (hosts.some((host) => served.some((other) => overlap(host, other)))) return;
  const name = `${gateway.metadata.namespace}/${gateway.metadata.name}`;
  const message = `the Gateway ${name} serves ${served.join(', ') || 'nothing to this namespace'}, not ${hosts.join(', ')}`;
  tell('HOST_NOT_IN_GATEWAY', service, path, message);
}

/** Rules by what a token says need somebody who verifies it. */
function checkClaims(
  service: ResourceOf<'VirtualService'>,
  gateway: ResourceOf<'Gateway'>,
  inventory: Inventory,
  tell: Tell,
): void {
  const place = claimPlace(service);
  if (place === undefined) return;
  const verifiers = inventory.of('RequestAuthentication');
  const isVerified = (workload: Pick<KnownWorkload, 'namespace' | 'labels'>): boolean =>
    verifiers.some(
      ({ metadata, spec }) =>
        (metadata.namespace === workload.namespace || metadata.namespace === inventory.root) &&
        Object.entries(spec.selector?.matchLabels ?? {}).every(
          ([key, value]) => workload.labels[key] === value,
        ),
    );
  const { selector = {} } = gateway.spec;
  const known = inventory.selected(selector);
  const installed = { namespace: inventory.root, name: Object.values(selector).join(), labels: selector };
  const workloads = known.length === 0 && isInstalled(selector) ? [installed] : known;
  const bare = workloads.find((workload) => !isVerified(workload));
  if (bare === undefined) return;
  const message = `no RequestAuthentication is about the gateway’s workload ${bare.namespace}/${bare.name}`;
  tell('CLAIMS_WITHOUT_AUTHENTICATION', service, place, message);
}

function claimPlace({ spec }: ResourceOf<'VirtualService'>): Path | undefined {
  for (const [rule, { match = [] }] of (spec.http ?? []).entries())
    for (const [index, each] of match.entries())
      for (const field of ['headers', 'withoutHeaders'] as const)
        for (const name of Object.keys(each[field] ?? {}))
          if (/^@request\.auth\.claims[.[]/.test(name))
            return ['spec', 'http', rule, 'match', index, field, name];
  return undefined;
}

/** A split into subsets that a gateway’s own rules for the same host pass over. */
function checkRulesAtGateway(service: ResourceOf<'VirtualService'>, inventory: Inventory, tell: Tell): void {
  if ((service.spec.gateways ?? []).length === 0) return;
  for (const [rule, { route = [] }] of (service.spec.http ?? []).entries()) {
    for (const [share, { destination }] of route.entries()) {
      if (destination.subset !== undefined) continue;
      const full = inventory.directory.fullName(destination.host, service.metadata.namespace);
      const other = inventory
        .of('VirtualService')
        .find((each) => each !== service && splits(each, full, inventory));
      if (other === undefined) continue;
      const message = `the subsets of ${other.metadata.namespace}/${other.metadata.name} for "${destination.host}" are not taken here`;
      tell(
        'RULES_NOT_TAKEN_AT_GATEWAY',
        service,
        ['spec', 'http', rule, 'route', share, 'destination'],
        message,
      );
    }
  }
}

function splits(
  { metadata, spec }: ResourceOf<'VirtualService'>,
  full: string,
  inventory: Inventory,
): boolean {
  const fullOf = (host: string): string => inventory.directory.fullName(host, metadata.namespace);
  return (
    (spec.hosts ?? []).some((host) => fullOf(host) === full) &&
    (spec.http ?? []).some(({ route = [] }) =>
      route.some(({ destination }) => destination.subset !== undefined && fullOf(destination.host) === full),
    )
  );
}

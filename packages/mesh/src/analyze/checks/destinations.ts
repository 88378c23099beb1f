import type { Destination, HttpRule, Path, ResourceOf } from '../../resources/index.ts';
import { Directory, type DirectoryService } from '../../translate/index.ts';
import type { Check, Tell } from '../check.ts';
import type { Inventory } from '../inventory.ts';

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
  // Inside of the mesh the port that was called is taken; a gateway’s port is another service’s.
  if (number === undefined && numbers.length > 1 && named) {
    tell('DESTINATION_PORT_NEEDED', service, path, `${host} has the ports ${numbers.join(', ')}`);
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
    else checkHosts(service, gateway, tell);
  }
}

/** `name.namespace.svc…` is understood, although it is not a form of today. */
function partsOf(written: string, namespace: string): readonly [string, string] {
  const [name = '', of] = written.split('.');
  return [of ?? namespace, name];
}

function checkHosts(service: ResourceOf<'VirtualService'>, gateway: ResourceOf<'Gateway'>, tell: Tell): void {
  const served = (gateway.spec.servers ?? []).flatMap(({ hosts }) =>
    hosts.map((host) => host.slice(host.indexOf('/') + 1)),
  );
  for (const [index, host] of (service.spec.hosts ?? []).entries()) {
    const overlaps = served.some((other) => overlap(host, other));
    if (overlaps) continue;
    const message = `the Gateway ${gateway.metadata.namespace}/${gateway.metadata.name} serves ${served.join(', ')}, not "${host}"`;
    tell('HOST_NOT_IN_GATEWAY', service, ['spec', 'hosts', index], message);
  }
}

/** True if some name is meant by both patterns. */
export function overlap(a: string, b: string): boolean {
  if (a === '*' || b === '*' || a === b) return true;
  if (a.startsWith('*') && b.startsWith('*')) return a.endsWith(b.slice(1)) || b.endsWith(a.slice(1));
  return (a.startsWith('*') && b.endsWith(a.slice(1))) || (b.startsWith('*') && a.endsWith(b.slice(1)));
}

import type { BackendObject, Path, ParentRef, ResourceOf } from '../../resources/index.ts';
import type { Check, Tell } from '../check.ts';
import type { Inventory } from '../inventory.ts';

type Gateway = ResourceOf<'KubernetesGateway'>;
type Route = ResourceOf<'HTTPRoute'> | ResourceOf<'GRPCRoute'>;

/** Gateways and routes of the Gateway API. */
export const kubernetesGateways: Check = (inventory, tell) => {
  const all = inventory.of('KubernetesGateway');
  for (const gateway of all) {
    const others = all.filter((each) => each !== gateway);
    checkListeners(gateway, others, tell);
    checkAddresses(gateway, others, tell);
  }
  for (const route of [...inventory.of('HTTPRoute'), ...inventory.of('GRPCRoute')]) {
    checkParents(route, inventory, tell);
    checkBackends(route, inventory, tell);
  }
};

function checkListeners(gateway: Gateway, others: readonly Gateway[], tell: Tell): void {
  const { listeners } = gateway.spec;
  for (const [index, { hostname = '', port, protocol }] of listeners.entries()) {
    const at: Path = ['spec', 'listeners', index];
    const twin = listeners.find(
      (each, other) =>
        other !== index &&
        each.port === port &&
        (each.hostname ?? '') === hostname &&
        each.protocol === protocol,
    );
    if (twin !== undefined) {
      tell(
        'LISTENER_DUPLICATE',
        gateway,
        at,
        `"${twin.name}" has the same port ${port}, protocol and hostname`,
      );
    }
    const rival = others.find(
      ({ metadata, spec }) =>
        metadata.namespace === gateway.metadata.namespace &&
        spec.gatewayClassName === gateway.spec.gatewayClassName &&
        spec.listeners.some((each) => each.port === port && (each.hostname ?? '') === hostname),
    );
    if (rival === undefined) continue;
    const message = `${nameOf(rival)} listens on port ${port} for "${hostname}" too`;
    tell('KUBERNETES_GATEWAY_HOST_DUPLICATE', gateway, at, message);
  }
}

function checkAddresses(gateway: Gateway, others: readonly Gateway[], tell: Tell): void {
  for (const [index, { type = 'IPAddress', value }] of (gateway.spec.addresses ?? []).entries()) {
    const rival = others.find(({ spec }) =>
      (spec.addresses ?? []).some((each) => (each.type ?? 'IPAddress') === type && each.value === value),
    );
    if (rival === undefined || value === undefined) continue;
    const message = `${nameOf(rival)} asks for the ${type} "${value}" too`;
    tell('KUBERNETES_GATEWAY_ADDRESS_DUPLICATE', gateway, ['spec', 'addresses', index], message);
  }
}

function nameOf({ metadata, file }: Gateway): string {
  return metadata.name === ''
    ? `another Gateway of ${file}`
    : `the Gateway ${metadata.namespace}/${metadata.name}`;
}

function checkParents(route: Route, inventory: Inventory, tell: Tell): void {
  for (const [index, parent] of (route.spec.parentRefs ?? []).entries()) {
    const { kind = 'Gateway', name, namespace = route.metadata.namespace, sectionName } = parent;
    const path: Path = ['spec', 'parentRefs', index];
    if (kind === 'Service') {
      if (inventory.directory.find(name, namespace) === undefined) {
        tell('ROUTE_GATEWAY_NOT_FOUND', route, path, `there is no Service ${namespace}/${name}`);
      }
      continue;
    }
    if (kind !== 'Gateway') continue;
    const gateway = inventory
      .of('KubernetesGateway')
      .find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
    const section = gateway?.spec.listeners.filter(
      (each) => sectionName === undefined || each.name === sectionName,
    );
    if (gateway === undefined) {
      tell('ROUTE_GATEWAY_NOT_FOUND', route, path, `there is no Gateway ${namespace}/${name}`);
    } else if (section?.length === 0) {
      tell(
        'ROUTE_GATEWAY_NOT_FOUND',
        route,
        path,
        `the Gateway ${namespace}/${name} has no listener "${sectionName}"`,
      );
    } else if (!isAllowed(route, gateway, parent)) {
      tell(
        'ROUTE_NOT_ALLOWED',
        route,
        path,
        `the Gateway ${namespace}/${name} takes no routes of ${route.metadata.namespace}`,
      );
    }
  }
}

function isAllowed(route: Route, gateway: Gateway, { sectionName }: ParentRef): boolean {
  return gateway.spec.listeners.some(({ name, allowedRoutes }) => {
    if (sectionName !== undefined && name !== sectionName) return false;
    const { from = 'Same' } = allowedRoutes?.namespaces ?? {};
    // Labels of namespaces are not asked about: a selector may allow it.
    return (
      from === 'All' ||
      from === 'Selector' ||
      (from === 'Same' && gateway.metadata.namespace === route.metadata.namespace)
    );
  });
}

function checkBackends(route: Route, inventory: Inventory, tell: Tell): void {
  for (const { backend, path } of backendsOf(route)) {
    const { group = '', kind = 'Service', name, namespace = route.metadata.namespace } = backend;
    if (group !== '' || kind !== 'Service') continue;
    if (namespace !== route.metadata.namespace && !isGranted(route, name, namespace, inventory)) {
      const message = `no ReferenceGrant of ${namespace} lets a ${route.kind} of ${route.metadata.namespace} refer to ${name}`;
      tell('REFERENCE_NOT_GRANTED', route, path, message);
    }
    const service = inventory.directory.find(name, namespace);
    if (service === undefined || service.namespace !== namespace) {
      tell('ROUTE_BACKEND_NOT_FOUND', route, [...path, 'name'], `there is no Service ${namespace}/${name}`);
    } else if (backend.port !== undefined && !service.ports.some(({ number }) => number === backend.port)) {
      tell(
        'DESTINATION_PORT_NOT_FOUND',
        route,
        [...path, 'port'],
        `${namespace}/${name} has no port ${backend.port}`,
      );
    }
  }
}

function* backendsOf(route: Route): Iterable<{ readonly backend: BackendObject; readonly path: Path }> {
  for (const [index, rule] of (route.spec.rules ?? []).entries()) {
    const at: Path = ['spec', 'rules', index];
    for (const [number, backend] of (rule.backendRefs ?? []).entries()) {
      yield { backend, path: [...at, 'backendRefs', number] };
    }
    for (const [number, { requestMirror }] of (rule.filters ?? []).entries()) {
      if (requestMirror === undefined) continue;
      yield {
        backend: requestMirror.backendRef,
        path: [...at, 'filters', number, 'requestMirror', 'backendRef'],
      };
    }
  }
}

function isGranted(route: Route, name: string, namespace: string, inventory: Inventory): boolean {
  return inventory
    .of('ReferenceGrant')
    .some(
      ({ metadata, spec }) =>
        metadata.namespace === namespace &&
        spec.from.some((each) => each.kind === route.kind && each.namespace === route.metadata.namespace) &&
        spec.to.some((each) => each.group === '' && each.kind === 'Service' && (each.name ?? name) === name),
    );
}

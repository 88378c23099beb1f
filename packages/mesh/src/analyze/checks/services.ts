import type { ResourceOf, ServicePort } from '../../resources/index.ts';
import { isProtocol } from '../../translate/index.ts';
import type { Check, Tell } from '../check.ts';
import type { Inventory, KnownWorkload } from '../inventory.ts';

/** Services of Kubernetes: protocols that are told, ports that workloads listen on. */
export const services: Check = (inventory, tell) => {
  const speaking: Speaking = new Map();
  for (const service of inventory.of('Service')) {
    const { metadata, spec } = service;
    const selected = spec.selector === undefined ? [] : inventory.selected(spec.selector, metadata.namespace);
    if (spec.selector !== undefined && selected.length === 0) {
      const text = Object.entries(spec.selector).map(([key, value]) => `${key}: ${value}`);
      const message = `no workload of ${metadata.namespace} has ${text.join(', ')}`;
      tell('SERVICE_SELECTS_NOTHING', service, ['spec', 'selector'], message);
    }
    for (const [index, port] of (spec.ports ?? []).entries()) {
      if (!isInstalled(service, inventory)) checkProtocol(service, port, index, tell);
      checkTarget(service, port, index, selected, tell);
      for (const workload of selected) checkAgreement(service, port, workload, speaking, tell);
    }
  }
};

/** Of the cluster or of the mesh itself, or made for a Gateway: nobody has written it, nobody is to correct it. */
function isInstalled({ metadata }: ResourceOf<'Service'>, inventory: Inventory): boolean {
  const { namespace, labels } = metadata;
  return (
    namespace === inventory.root ||
    /^kube-(?:system|public|node-lease)$/.test(namespace) ||
    labels['gateway.istio.io/managed'] !== undefined
  );
}

type Speaking = Map<
  string,
  { readonly service: ResourceOf<'Service'>; readonly protocol: string; readonly port: number }
>;

function checkProtocol(service: ResourceOf<'Service'>, port: ServicePort, index: number, tell: Tell): void {
  const { name = '', appProtocol, protocol = 'TCP' } = port;
  if (protocol.toUpperCase() === 'UDP') return;
  if (service.spec.type === 'ExternalName') {
    const told = (appProtocol ?? name).split('-', 1)[0] ?? '';
    if (appProtocol === undefined && (!isProtocol(told) || name === 'tcp'))
      tell('EXTERNAL_NAME_PORT', service, ['spec', 'ports', index, 'name'], `port ${port.port} is TCP`);
    return;
  }
  if (appProtocol !== undefined) {
    if (isProtocol(appProtocol)) return;
    tell(
      'APP_PROTOCOL',
      service,
      ['spec', 'ports', index, 'appProtocol'],
      `nobody knows the protocol "${appProtocol}"`,
    );
  } else if (!isProtocol(name.split('-', 1)[0] ?? '')) {
    const what = name === '' ? `port ${port.port} has no name` : `"${name}" does not begin with a protocol`;
    tell('PORT_NAME', service, ['spec', 'ports', index, 'name'], what);
  }
}

function checkTarget(
  service: ResourceOf<'Service'>,
  { port, targetPort = port }: ServicePort,
  index: number,
  selected: readonly KnownWorkload[],
  tell: Tell,
): void {
  const declared = selected.flatMap(({ ports }) => ports);
  const at = ['spec', 'ports', index];
  if (declared.length === 0) return;
  const found = declared.some(({ name, number }) => number === targetPort || name === targetPort);
  const numbers = [...new Set(declared.map(({ number }) => number))].join(', ');
  if (!found) {
    tell('SERVICE_PORT_NOT_EXPOSED', service, at, `the workloads declare ${numbers}, not ${targetPort}`);
  } else if (!declared.some(({ number }) => number === port)) {
    tell('SERVICE_PORT_DIFFERS', service, at, `port ${port} is ${targetPort} of the workloads`);
  }
}

/** Two services that name one port of a workload differently. */
function checkAgreement(
  service: ResourceOf<'Service'>,
  { name = '', appProtocol, port, targetPort = port }: ServicePort,
  workload: KnownWorkload,
  speaking: Speaking,
  tell: Tell,
): void {
  const protocol = (appProtocol ?? name.split('-', 1)[0] ?? '').toLowerCase();
  const key = `${workload.namespace}/${workload.name} ${targetPort}`;
  const other = speaking.get(key);
  if (other === undefined) {
    speaking.set(key, { service, protocol, port });
    return;
  }
  if (other.service === service || !workload.isInjected) return;
  const at = (
    code: 'WORKLOAD_IN_SEVERAL_SERVICES' | 'WORKLOAD_PORT_IN_SEVERAL_SERVICES',
    message: string,
  ): void => tell(code, workload.resource, ['metadata', 'name'], message);
  const both = `${other.service.metadata.name} and ${service.metadata.name}`;
  if (other.protocol !== protocol)
    at(
      'WORKLOAD_IN_SEVERAL_SERVICES',
      `${both} say ${other.protocol || 'nothing'} and ${protocol || 'nothing'} of its port ${targetPort}`,
    );
  if (other.port !== port)
    at(
      'WORKLOAD_PORT_IN_SEVERAL_SERVICES',
      `${both} reach its port ${targetPort} by ${other.port} and ${port}`,
    );
}

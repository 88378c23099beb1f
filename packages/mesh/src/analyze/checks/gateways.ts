import type { GatewayServer, ResourceOf } from '../../resources/index.ts';
import type { Check, Tell } from '../check.ts';
import { compatible, type Inventory } from '../inventory.ts';
import { overlap } from './host-overlap.ts';

type Gateway = ResourceOf<'Gateway'>;

/** Gateways of Istio: workloads, ports, hosts and certificates that two of them claim. */
export const gateways: Check = (inventory, tell) => {
  const all = inventory.of('Gateway');
  for (const gateway of all) {
    checkSelector(gateway, inventory, tell);
    for (const [index, server] of (gateway.spec.servers ?? []).entries()) {
      const rivals = all.flatMap((other) => rivalsOf(gateway, server, other));
      if (rivals.length > 0) {
        const message = `port ${server.port.number} with ${server.hosts.join(', ')} is served by ${rivals.join(', ')} too`;
        tell('GATEWAY_HOST_DUPLICATE', gateway, ['spec', 'servers', index, 'hosts'], message);
      }
      checkCertificate(gateway, server, index, all, tell);
    }
  }
};

function checkSelector(gateway: Gateway, inventory: Inventory, tell: Tell): void {
  const { selector = {}, servers = [] } = gateway.spec;
  const workloads = inventory.selected(selector);
  // Istio's own gateways run where they were installed, which the files of an application do not say.
  if (workloads.length === 0) {
    if (isInstalled(selector)) {
      if (selector['istio'] === 'ingressgateway') checkInstalledPorts(gateway, tell);
      return;
    }
    const text = Object.entries(selector).map(([key, value]) => `${key}: ${value}`);
    tell(
      'GATEWAY_SELECTS_NOTHING',
      gateway,
      ['spec', 'selector'],
      `no workload has ${text.join(', ') || 'any label'}`,
    );
    return;
  }
  const exposed = inventory.of('Service').filter(({ metadata, spec }) =>
    workloads.some(({ namespace, labels }) => {
      const wanted = Object.entries(spec.selector ?? {});
      return (
        namespace === metadata.namespace &&
        wanted.length > 0 &&
        wanted.every(([key, value]) => labels[key] === value)
      );
    }),
  );
  const ports = exposed.flatMap(({ spec }) =>
    (spec.ports ?? []).flatMap(({ port, targetPort }) => [
      port,
      ...(typeof targetPort === 'number' ? [targetPort] : []),
    ]),
  );
  // A workload outside of Kubernetes needs no Service to be reached.
  const isOutside = inventory.of('WorkloadEntry').length > 0;
  if (ports.length === 0 && (exposed.length > 0 || isOutside)) return;
  for (const [index, { port }] of servers.entries()) {
    if (ports.includes(port.number)) continue;
    const has =
      ports.length === 0
        ? 'there is no Service of the gateway'
        : `its service has the ports ${ports.join(', ')}`;
    const message = `${has}, so none with ${port.number}`;
    tell('GATEWAY_PORT_NOT_SERVED', gateway, ['spec', 'servers', index, 'port', 'number'], message);
  }
}

/** Whether these are the labels that Istio's own gateways have where they are installed. */
export function isInstalled(selector: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).some(
    ([key, value]) => (key === 'istio' || key === 'app') && /^(istio-)?(ingress|egress)gateway$/.test(value),
  );
}

/** The ports of the Service that Istio installs before its ingress gateway. */
const installedPorts: readonly number[] = [80, 443, 15_021, 15_443, 31_400];

function checkInstalledPorts(gateway: Gateway, tell: Tell): void {
  for (const [index, { port }] of (gateway.spec.servers ?? []).entries()) {
    if (port === undefined || installedPorts.includes(port.number)) continue;
    const message = `the Service that Istio installs has the ports ${installedPorts.join(', ')}, not ${port.number}`;
    tell('GATEWAY_PORT_NOT_SERVED', gateway, ['spec', 'servers', index, 'port', 'number'], message);
  }
}

/** The names of another Gateway that serves a host of this server on the same port of the same workloads. */
function rivalsOf(gateway: Gateway, server: GatewayServer, other: Gateway): readonly string[] {
  if (other === gateway) return [];
  const [one, two] = [gateway.spec.selector ?? {}, other.spec.selector ?? {}];
  const same = Object.keys(one).length > 0 && Object.keys(two).length > 0 && compatible(one, two);
  const clashes = (other.spec.servers ?? []).some(
    ({ port, hosts, bind }) =>
      port.number === server.port.number &&
      bind === server.bind &&
      hosts.some((host) =>
        server.hosts.some((own) => plainHost(own) === plainHost(host) || bothAll(own, host)),
      ),
  );
  return same && clashes ? [`${other.metadata.namespace}/${other.metadata.name}`] : [];
}

function plainHost(host: string): string {
  return host.slice(host.indexOf('/') + 1).toLowerCase();
}

/** A name below a wildcard is told apart from it; only `*` beside `*` and the same name clash. */
function bothAll(a: string, b: string): boolean {
  return plainHost(a) === '*' && plainHost(b) === '*';
}

function checkCertificate(
  gateway: Gateway,
  { tls, hosts }: GatewayServer,
  index: number,
  all: readonly Gateway[],
  tell: Tell,
): void {
  const name = tls?.credentialName;
  if (name === undefined) return;
  const twin = all.find(
    (other) =>
      other !== gateway &&
      compatible(gateway.spec.selector ?? {}, other.spec.selector ?? {}) &&
      (other.spec.servers ?? []).some(
        (server) =>
          server.tls?.credentialName === name &&
          !server.hosts.some((host) => hosts.some((own) => overlap(plainHost(own), plainHost(host)))),
      ),
  );
  if (twin === undefined) return;
  const message = `the Gateway ${twin.metadata.namespace}/${twin.metadata.name} uses the certificate "${name}" too`;
  tell(
    'GATEWAY_CERTIFICATE_DUPLICATE',
    gateway,
    ['spec', 'servers', index, 'tls', 'credentialName'],
    message,
  );
}

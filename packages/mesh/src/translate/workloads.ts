import { mutualTlsFor, policiesFor, tokenRulesFor } from '../authorization/index.ts';
import type { InboundPort, Workload } from '../model/index.ts';
import { ofType, type PodSpec } from '../resources/index.ts';
import type { DirectoryPort } from './directory.ts';
import { gatewayListeners } from './gateways.ts';
import { selects } from './instance.ts';
import type { Translation } from './scope.ts';

/** A workload before it is known what it serves. */
interface Subject {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** Its ports by name. */
  readonly ports: Readonly<Record<string, number>>;
}

/** The workloads that resources and instances name, each with what it serves and who may come. */
export function workloadsOf(translation: Translation): ReadonlyMap<string, Workload> {
  const found = new Map<string, Workload>();
  for (const subject of subjectsOf(translation)) {
    const key = `${subject.namespace}/${subject.name}`;
    if (!found.has(key)) found.set(key, workload(subject, translation));
  }
  return found;
}

function subjectsOf({ resources, options: { instances = [] } }: Translation): readonly Subject[] {
  const running = instances.map(({ workload: name, namespace, labels, serviceAccount, ports }) => ({
    namespace,
    name,
    labels,
    serviceAccount,
    ports,
  }));
  const planned = ofType(resources, 'Workload').map(({ metadata, spec }) => ({
    namespace: metadata.namespace,
    name: metadata.name,
    labels: spec.template.metadata?.labels ?? {},
    ...podParts(spec.template.spec),
  }));
  const pods = ofType(resources, 'Pod').map(({ metadata, spec }) => ({
    namespace: metadata.namespace,
    name: metadata.name,
    labels: metadata.labels,
    ...podParts(spec),
  }));
  const entries = ofType(resources, 'WorkloadEntry').map(({ metadata, spec }) => ({
    namespace: metadata.namespace,
    name: metadata.name,
    labels: { ...metadata.labels, ...spec.labels },
    serviceAccount: spec.serviceAccount ?? 'default',
    ports: spec.ports ?? {},
  }));
  return [...running, ...planned, ...pods, ...entries];
}

function podParts({
  serviceAccountName = 'default',
  containers = [],
}: PodSpec = {}): Pick<Subject, 'serviceAccount' | 'ports'> {
  const ports = containers.flatMap(({ ports: own = [] }) =>
    own.flatMap(({ name, containerPort }) => (name === undefined ? [] : [[name, containerPort] as const])),
  );
  return { serviceAccount: serviceAccountName, ports: Object.fromEntries(ports) };
}

function workload(subject: Subject, translation: Translation): Workload {
  const { namespace, name, labels, serviceAccount } = subject;
  const { resources, options } = translation;
  const gatewayName = labels['gateway.networking.k8s.io/gateway-name'];
  const who = { namespace, labels, ...(gatewayName !== undefined && { gateway: gatewayName }) };
  const gateway = gatewayListeners(subject, translation);
  return {
    namespace,
    name,
    labels,
    serviceAccount,
    locality: localityOf(subject, translation),
    inbound: inboundOf(subject, translation),
    policies: policiesFor(resources, who, options),
    jwt: tokenRulesFor(resources, who, options),
    ...(gateway.length > 0 && { gateway }),
  };
}

function localityOf({ namespace, name }: Subject, { lookups }: Translation): Workload['locality'] {
  return lookups.instanceOf(`${namespace}/${name}`)?.locality ?? { region: '', zone: '', subZone: '' };
}

/** The ports by which services select it, each once: the first service to name one says what it speaks. */
function inboundOf(subject: Subject, translation: Translation): readonly InboundPort[] {
  const { resources, lookups, options } = translation;
  const { namespace, labels } = subject;
  const ports = new Map<number, DirectoryPort>();
  for (const service of lookups.servicesFor(namespace, labels)) {
    if (!selects(service.selector, labels)) continue;
    for (const port of service.ports) {
      const number = typeof port.target === 'number' ? port.target : subject.ports[port.target];
      if (number !== undefined && !ports.has(number)) ports.set(number, port);
    }
  }
  const listens = options.inboundOf ?? ((_: string, port: number) => ({ address: '0.0.0.0', port }));
  return [...ports].map(([port, { protocol }]) => ({
    ...listens(`${namespace}/${subject.name}`, port),
    protocol,
    target: { address: '127.0.0.1', port },
    mtls: mutualTlsFor(resources, { namespace, labels }, port, options),
  }));
}

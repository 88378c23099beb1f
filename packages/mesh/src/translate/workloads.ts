import { mutualTlsFor, policiesFor, tokenRulesFor } from '../authorization/index.ts';
import type { InboundPort, JwtRule, Workload } from '../model/index.ts';
import { ofType, type PodSpec } from '../resources/index.ts';
import type { DirectoryPort } from './directory.ts';
import { gatewayOf } from './gateways.ts';
import { type MeshInstance, selects } from './instance.ts';
import { workloadOf as workloadKey } from './running.ts';
import type { Translation } from './scope.ts';
import { sidecarOf } from './sidecars.ts';

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
export class Workloads {
  readonly #translation: Translation;
  /** What resources say of them. */
  readonly #written = new Map<string, Subject>();

  constructor(translation: Translation) {
    this.#translation = translation;
    for (const subject of writtenSubjects(translation)) {
      const key = keyOf(subject);
      if (!this.#written.has(key)) this.#written.set(key, subject);
    }
  }

  /** By `namespace/name`. */
  all(): ReadonlyMap<string, Workload> {
    const running = [...this.#translation.running.values()].map((each) => workloadKey(each));
    const keys = new Set([...running, ...this.#written.keys()]);
    return new Map(
      [...keys].flatMap((key) => {
        const one = this.one(key);
        return one === undefined ? [] : [[key, one] as const];
      }),
    );
  }

  /** What is known of one: what runs before what is written. */
  one(key: string): Workload | undefined {
    const instance = this.#translation.running.instanceOf(key);
    const subject = instance === undefined ? this.#written.get(key) : ofInstance(instance);
    return subject && workload(subject, this.#translation);
  }
}

function ofInstance({
  workload: name,
  namespace,
  labels,
  serviceAccount,
  ports,
  registered,
}: MeshInstance): Subject {
  const own = registered === undefined ? ports : { ...ports, [registered.protocol]: registered.at };
  return { namespace, name, labels, serviceAccount, ports: own };
}

function keyOf({ namespace, name }: Subject): string {
  return `${namespace}/${name}`;
}

function writtenSubjects({ resources }: Translation): readonly Subject[] {
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
  return [...planned, ...pods, ...entries];
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
  const { gateway, secrets, undone } = gatewayOf(subject, translation);
  const sidecar = sidecarOf(subject, translation);
  const notDone = [...(sidecar.undone ?? []), ...undone];
  return {
    namespace,
    name,
    labels,
    serviceAccount,
    locality: localityOf(subject, translation),
    inbound: inboundOf(subject, translation),
    policies: policiesFor(resources, who, options),
    jwt: tokenRulesFor(resources, who, options).map((rule) => withKeys(rule, options)),
    ...sidecar,
    ...(notDone.length > 0 && { undone: notDone }),
    ...(gateway.length > 0 && { gateway }),
    ...(secrets.length > 0 && { secrets }),
  };
}

/** Keys that were fetched stand beside where they come from. Without them nobody's token holds. */
function withKeys(rule: JwtRule, { keysAt }: Translation['options']): JwtRule {
  if (rule.jwks !== undefined || rule.jwksUri === undefined) return rule;
  const jwks = keysAt?.(rule.jwksUri);
  return jwks === undefined ? rule : { ...rule, jwks };
}

function localityOf(subject: Subject, { running }: Translation): Workload['locality'] {
  return running.instanceOf(keyOf(subject))?.locality ?? { region: '', zone: '', subZone: '' };
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

import type { MeshInstance } from './instance.ts';
import { ofType, type Port, type Resource, type ResourceOf, type ServicePort } from '../resources/index.ts';

/** A port of a service, as callers see it. */
export interface DirectoryPort {
  readonly name: string;
  readonly number: number;
  readonly protocol: 'http' | 'http2' | 'grpc' | 'tcp';
  /** TLS that the mesh passes through without looking into it. */
  readonly tls: boolean;
  /** Of the workload: a number, the name of one of its ports, or what `number` says. */
  readonly target: number | string;
}

/** A name that can be called: of a Service of Kubernetes or of a ServiceEntry. */
export interface DirectoryService {
  readonly host: string;
  readonly namespace: string;
  /** Short names of a Kubernetes Service; empty for entries. */
  readonly name: string;
  readonly ports: readonly DirectoryPort[];
  /** The labels of its instances; undefined where it names them itself, or has none. */
  readonly selector: Readonly<Record<string, string>> | undefined;
  readonly entry: ResourceOf<'ServiceEntry'> | undefined;
  /** Namespaces that see it; empty: all. */
  readonly visibleIn: readonly string[];
  readonly external: boolean;
}

/** The services of a mesh by their full names. */
export class Directory {
  readonly services: readonly DirectoryService[];
  readonly #domain: string;
  readonly #byHost = new Map<string, DirectoryService>();

  /** `running`: services that are registered are there without a resource too. */
  constructor(resources: readonly Resource[], domain: string, running: Iterable<MeshInstance> = []) {
    this.#domain = domain;
    const all = [
      ...ofType(resources, 'Service').map((service) => ofService(service, domain)),
      ...ofType(resources, 'ServiceEntry').flatMap(ofEntry),
      ...registeredServices(running, domain),
    ];
    for (const service of all) if (!this.#byHost.has(service.host)) this.#byHost.set(service.host, service);
    this.services = [...this.#byHost.values()];
  }

  /** The full name of a host as a resource of a namespace writes it: a short name is one of its namespace. */
  fullName(host: string, namespace: string): string {
    const lower = host.toLowerCase();
    if (lower.includes('*') || this.#byHost.has(lower)) return lower;
    const parts = lower.split('.');
    const full =
      parts.length === 1
        ? `${lower}.${namespace}.svc.${this.#domain}`
        : parts.length === 2
          ? `${lower}.svc.${this.#domain}`
          : parts.length === 3 && parts[2] === 'svc'
            ? `${lower}.${this.#domain}`
            : lower;
    // `shop.example` is a name of the outside unless there is such a service.
    return parts.length === 1 || this.#byHost.has(full) ? full : parts.length === 2 ? lower : full;
  }

  /** The service of a host as a resource of a namespace writes it. A wildcard of an entry stands for all below it. */
  find(host: string, namespace: string): DirectoryService | undefined {
    const full = this.fullName(host, namespace);
    const exact = this.#byHost.get(full);
    if (exact !== undefined || full.startsWith('*')) return exact;
    return this.services.find(
      (service) => service.host.startsWith('*.') && full.endsWith(service.host.slice(1)),
    );
  }

  /** The namespaces that may see what `exportTo` of an object says; empty: all. */
  static visibleIn(exportTo: readonly string[] = [], namespace: string): readonly string[] {
    if (exportTo.length === 0 || exportTo.includes('*')) return [];
    return exportTo.map((each) => (each === '.' ? namespace : each));
  }
}

function ofService({ metadata, spec }: ResourceOf<'Service'>, domain: string): DirectoryService {
  const { name, namespace, annotations } = metadata;
  const exportTo = annotations['networking.istio.io/exportTo']?.split(',').map((each) => each.trim());
  return {
    host: `${name}.${namespace}.svc.${domain}`,
    namespace,
    name,
    ports: (spec.ports ?? []).map(portOfService),
    selector: spec.selector,
    entry: undefined,
    visibleIn: Directory.visibleIn(exportTo, namespace),
    external: spec.type === 'ExternalName',
  };
}

function ofEntry(entry: ResourceOf<'ServiceEntry'>): DirectoryService[] {
  const { metadata, spec } = entry;
  return spec.hosts.map((host) => ({
    host: host.toLowerCase(),
    namespace: metadata.namespace,
    name: '',
    ports: (spec.ports ?? []).map(portOfEntry),
    selector: spec.workloadSelector?.labels,
    entry,
    visibleIn: Directory.visibleIn(spec.exportTo, metadata.namespace),
    external: spec.location !== 'MESH_INTERNAL',
  }));
}

/** The label by which services that only a registry knows find their instances. */
export const registeredLabel = 'heddle.dev/service';

/** One for each name that instances are registered under, with the ports that they ask to be called at. */
function registeredServices(running: Iterable<MeshInstance>, domain: string): DirectoryService[] {
  const ports = new Map<string, Map<number, DirectoryPort>>();
  const services = new Map<string, Omit<DirectoryService, 'ports'>>();
  for (const { namespace, registered } of running) {
    if (registered === undefined) continue;
    const { service: name, port: number, protocol } = registered;
    const host = `${name.toLowerCase()}.${namespace}.svc.${domain}`;
    const known = ports.get(host) ?? new Map<number, DirectoryPort>();
    ports.set(host, known.set(number, { name: protocol, number, protocol, tls: false, target: protocol }));
    services.set(host, {
      host,
      namespace,
      name: name.toLowerCase(),
      selector: { [registeredLabel]: name },
      entry: undefined,
      visibleIn: [],
      external: false,
    });
  }
  return [...services].map(([host, service]) => ({
    ...service,
    ports: [...(ports.get(host)?.values() ?? [])].toSorted((a, b) => a.number - b.number),
  }));
}

function portOfService({ name = '', port, targetPort, appProtocol }: ServicePort): DirectoryPort {
  const told = (appProtocol ?? name.split('-', 1)[0] ?? '').toLowerCase();
  return { name, number: port, ...protocolOf(told), target: targetPort ?? port };
}

function portOfEntry({ name, number, protocol, targetPort }: Port): DirectoryPort {
  return { name, number, ...protocolOf((protocol ?? '').toLowerCase()), target: targetPort ?? number };
}

/** Istio's names of protocols, and those of `appProtocol`. What nobody knows is TCP. */
export function protocolOf(told: string): Pick<DirectoryPort, 'protocol' | 'tls'> {
  if (told === 'http' || told === 'kubernetes.io/ws') return { protocol: 'http', tls: false };
  if (told === 'http2' || told === 'kubernetes.io/h2c') return { protocol: 'http2', tls: false };
  if (told === 'grpc' || told === 'grpc-web') return { protocol: 'grpc', tls: false };
  return { protocol: 'tcp', tls: told === 'https' || told === 'tls' };
}

const protocols: ReadonlySet<string> = new Set([
  'http',
  'http2',
  'https',
  'tcp',
  'tls',
  'grpc',
  'grpc-web',
  'mongo',
  'mysql',
  'redis',
  'udp',
  'hbone',
  'kubernetes.io/h2c',
  'kubernetes.io/ws',
  'kubernetes.io/wss',
]);

/** True for a protocol that a port's name or `appProtocol` may tell, whatever its case. */
export function isProtocol(told: string): boolean {
  return protocols.has(told.toLowerCase());
}

import { ofType, type Resource, type ResourceOf } from '../resources/index.ts';
import type { Directory, DirectoryService } from './directory.ts';
import type { MeshInstance } from './instance.ts';
import type { KubernetesRoute } from './kubernetes-route.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * What a translation asks for again and again, by what it asks with: a mesh has thousands of services and tens of
 * thousands of instances, and each is looked at once. Answers may hold more than is meant; whoever asks looks closer.
 */
export class Lookups {
  readonly #rules: ByHost<ResourceOf<'DestinationRule'>>;
  readonly #virtual: ByHost<ResourceOf<'VirtualService'>>;
  readonly #routes = new Map<string, KubernetesRoute[]>();
  readonly #instances = new Map<string, MeshInstance[]>();
  readonly #services = new Map<string, DirectoryService[]>();
  readonly #names = new Map<string, number>();
  readonly #byWorkload = new Map<string, MeshInstance>();

  constructor(resources: readonly Resource[], directory: Directory, instances: readonly MeshInstance[]) {
    this.#rules = new ByHost(ofType(resources, 'DestinationRule'), ({ metadata, spec }) => [
      directory.fullName(spec.host, metadata.namespace),
    ]);
    this.#virtual = new ByHost(ofType(resources, 'VirtualService'), ({ metadata, spec }) =>
      (spec.hosts ?? []).map((host) => directory.fullName(host, metadata.namespace)),
    );
    for (const route of [...ofType(resources, 'HTTPRoute'), ...ofType(resources, 'GRPCRoute')]) {
      for (const { kind, name, namespace = route.metadata.namespace } of route.spec.parentRefs ?? []) {
        if (kind === 'Service') push(this.#routes, `${namespace}/${name}`, route);
      }
    }
    for (const instance of instances) {
      const { namespace, workload, labels } = instance;
      const key = `${namespace}/${workload}`;
      if (!this.#byWorkload.has(key)) this.#byWorkload.set(key, instance);
      for (const pair of pairsOf(labels)) push(this.#instances, `${namespace} ${pair}`, instance);
    }
    for (const service of directory.services) {
      const { namespace, name, selector } = service;
      if (name !== '') this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
      const [first] = pairsOf(selector ?? {});
      if (first !== undefined) push(this.#services, `${namespace} ${first}`, service);
    }
  }

  /** The DestinationRules whose host is this one or a wildcard around it. */
  destinationRules(host: string): readonly ResourceOf<'DestinationRule'>[] {
    return this.#rules.around(host);
  }

  /** The VirtualServices with this host or a wildcard around it. */
  virtualServices(host: string): readonly ResourceOf<'VirtualService'>[] {
    return this.#virtual.around(host);
  }

  /** The routes with this Service as a parent. */
  routes({ namespace, name }: DirectoryService): readonly KubernetesRoute[] {
    return this.#routes.get(`${namespace}/${name}`) ?? [];
  }

  /** The instances of a namespace that carry the first label of a selector. */
  instances(namespace: string, selector: Labels): readonly MeshInstance[] {
    const [first] = pairsOf(selector);
    return first === undefined ? [] : (this.#instances.get(`${namespace} ${first}`) ?? []);
  }

  /** The services of a namespace whose selector begins with one of these labels. */
  servicesFor(namespace: string, labels: Labels): readonly DirectoryService[] {
    return pairsOf(labels).flatMap((pair) => this.#services.get(`${namespace} ${pair}`) ?? []);
  }

  /** True if no two namespaces have a service of this name. */
  isAlone(name: string): boolean {
    return this.#names.get(name) === 1;
  }

  /** Some instance of a workload. */
  instanceOf(workload: string): MeshInstance | undefined {
    return this.#byWorkload.get(workload);
  }
}

/** Objects by the hosts that they are about, wildcards apart. */
class ByHost<T> {
  readonly #exact = new Map<string, T[]>();
  readonly #wild: { readonly end: string; readonly item: T }[] = [];

  constructor(items: readonly T[], hostsOf: (item: T) => readonly string[]) {
    for (const item of items) {
      for (const host of hostsOf(item)) {
        if (host.startsWith('*')) this.#wild.push({ end: host.slice(1), item });
        else push(this.#exact, host, item);
      }
    }
  }

  around(host: string): readonly T[] {
    const exact = this.#exact.get(host) ?? [];
    if (this.#wild.length === 0) return exact;
    const wild = this.#wild.filter(({ end }) => host.endsWith(end)).map(({ item }) => item);
    return [...new Set([...exact, ...wild])];
  }
}

/** In one order, whichever way they were written. */
function pairsOf(labels: Labels): readonly string[] {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .toSorted();
}

function push<T>(map: Map<string, T[]>, key: string, item: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [item]);
  else known.push(item);
}

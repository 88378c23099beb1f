import { ofType, type Resource, type ResourceOf } from '../resources/index.ts';
import type { Directory, DirectoryService } from './directory.ts';
import type { KubernetesRoute } from './kubernetes-route.ts';
import { pairsOf } from './running.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * What a translation asks for again and again, by what it asks with: a mesh has thousands of services, and each is
 * looked at once. Answers may hold more than is meant; whoever asks looks closer.
 */
export class Lookups {
  readonly #rules: ByHost<ResourceOf<'DestinationRule'>>;
  readonly #virtual: ByHost<ResourceOf<'VirtualService'>>;
  readonly #routes = new Map<string, KubernetesRoute[]>();
  readonly #services = new Map<string, DirectoryService[]>();
  readonly #names = new Map<string, number>();

  constructor(resources: readonly Resource[], directory: Directory) {
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

  /** The services of a namespace whose selector begins with one of these labels. */
  servicesFor(namespace: string, labels: Labels): readonly DirectoryService[] {
    return pairsOf(labels).flatMap((pair) => this.#services.get(`${namespace} ${pair}`) ?? []);
  }

  /** True if no two namespaces have a service of this name. */
  isAlone(name: string): boolean {
    return this.#names.get(name) === 1;
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

function push<T>(map: Map<string, T[]>, key: string, item: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [item]);
  else known.push(item);
}

import { type MeshScope } from '../authorization/index.ts';
import {
  type Container,
  ofType,
  type PodSpec,
  type Resource,
  type ResourceOf,
  type ResourceType,
} from '../resources/index.ts';
import { Directory } from '../translate/index.ts';

/** A workload as far as an analysis asks about it. */
export interface KnownWorkload {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly ports: readonly { readonly name: string; readonly number: number }[];
  /** Where it was written. */
  readonly resource: Resource;
  /** False where it says that it wants no sidecar. */
  readonly isInjected: boolean;
}

/** What there is in a mesh, made ready for questions. */
export class Inventory {
  readonly resources: readonly Resource[];
  readonly directory: Directory;
  readonly root: string;
  readonly scope: MeshScope;
  readonly workloads: readonly KnownWorkload[];
  readonly namespaces: ReadonlySet<string>;
  readonly #byType = new Map<ResourceType, Resource[]>();
  readonly #accounts: ReadonlySet<string>;

  constructor(resources: readonly Resource[], scope: MeshScope, domain: string) {
    this.resources = resources;
    this.scope = scope;
    this.root = scope.rootNamespace ?? 'istio-system';
    this.directory = new Directory(resources, domain);
    for (const resource of resources) {
      const known = this.#byType.get(resource.type);
      if (known === undefined) this.#byType.set(resource.type, [resource]);
      else known.push(resource);
    }
    this.workloads = workloadsOf(resources);
    this.namespaces = namespacesOf(resources);
    this.#accounts = accountsOf(resources, this.workloads);
  }

  /** The resources of a type. */
  of<T extends ResourceType>(type: T): readonly ResourceOf<T>[] {
    return ofType(this.#byType.get(type) ?? [], type);
  }

  /** The workloads that carry some labels; of one namespace, or of all. */
  selected(
    labels: Readonly<Record<string, string>> | undefined,
    namespace?: string,
  ): readonly KnownWorkload[] {
    const wanted = Object.entries(labels ?? {});
    return this.workloads.filter(
      (each) =>
        (namespace === undefined || each.namespace === namespace) &&
        wanted.every(([key, value]) => each.labels[key] === value),
    );
  }

  /** True for `namespace/name` of an account that something runs as. */
  hasAccount(account: string): boolean {
    return this.#accounts.has(account);
  }
}

/** True if labels of two selectors could be of one workload. */
export function compatible(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(a).every(([key, value]) => b[key] === undefined || b[key] === value);
}

function workloadsOf(resources: readonly Resource[]): readonly KnownWorkload[] {
  const templates = ofType(resources, 'Workload').map((resource) => {
    const { metadata, spec } = resource;
    return {
      resource,
      isInjected: wantsSidecar(spec.template.metadata ?? {}),
      namespace: metadata.namespace,
      name: metadata.name,
      labels: spec.template.metadata?.labels ?? {},
      ...podParts(spec.template.spec),
    };
  });
  const pods = ofType(resources, 'Pod').map((resource) => {
    const { metadata, spec } = resource;
    return {
      resource,
      isInjected: wantsSidecar(metadata),
      namespace: metadata.namespace,
      name: metadata.name,
      labels: metadata.labels,
      ...podParts(spec),
    };
  });
  const entries = ofType(resources, 'WorkloadEntry').map((resource) => {
    const { metadata, spec } = resource;
    return {
      resource,
      isInjected: true,
      namespace: metadata.namespace,
      name: metadata.name,
      labels: { ...metadata.labels, ...spec.labels },
      serviceAccount: spec.serviceAccount ?? 'default',
      ports: Object.entries(spec.ports ?? {}).map(([name, number]) => ({ name, number })),
    };
  });
  return [...templates, ...pods, ...entries];
}

const injectName = 'sidecar.istio.io/inject';

function wantsSidecar({
  labels = {},
  annotations = {},
}: {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}): boolean {
  return (labels[injectName] ?? annotations[injectName]) !== 'false';
}

function podParts({
  serviceAccountName = 'default',
  containers = [],
}: PodSpec = {}): Pick<KnownWorkload, 'serviceAccount' | 'ports'> {
  const portsOf = ({ ports = [] }: Container): KnownWorkload['ports'] =>
    ports.map(({ name = '', containerPort }) => ({ name, number: containerPort }));
  return { serviceAccount: serviceAccountName, ports: containers.flatMap(portsOf) };
}

function namespacesOf(resources: readonly Resource[]): ReadonlySet<string> {
  const named = ofType(resources, 'Namespace').map(({ metadata }) => metadata.name);
  const used = resources.map(({ metadata }) => metadata.namespace);
  return new Set(['default', 'kube-system', ...named, ...used]);
}

function accountsOf(
  resources: readonly Resource[],
  workloads: readonly KnownWorkload[],
): ReadonlySet<string> {
  const named = ofType(resources, 'ServiceAccount').map(
    ({ metadata }) => `${metadata.namespace}/${metadata.name}`,
  );
  return new Set([
    ...named,
    ...workloads.map(({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`),
  ]);
}

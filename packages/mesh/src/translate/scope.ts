import type { MeshScope } from '../authorization/index.ts';
import type { Resource } from '../resources/index.ts';
import { Directory } from './directory.ts';
import { Lookups } from './lookups.ts';
import type { MeshInstance } from './instance.ts';
import { Running } from './running.ts';

/** How resources become the rules of data planes. */
export interface TranslateOptions extends MeshScope {
  /** The domain of Kubernetes' names. Default `cluster.local`. */
  readonly domain?: string;
  /** The key set that was fetched from a `jwksUri`; undefined: there is none yet. */
  readonly keysAt?: (uri: string) => string | undefined;
  /** What runs at the moment. */
  readonly instances?: readonly MeshInstance[];
  /** Where a sidecar listens for a service's port; undefined: on the port of all services, told apart by name. */
  readonly addressOf?: (host: string) => string | undefined;
  /** Where the sidecar of a workload listens. Default `0.0.0.0` and the application's port. */
  readonly inboundOf?: (
    workload: string,
    port: number,
  ) => { readonly address: string; readonly port: number };
}

/** What the parts of one translation share. */
export interface Translation {
  readonly resources: readonly Resource[];
  readonly directory: Directory;
  readonly lookups: Lookups;
  readonly running: Running;
  readonly options: TranslateOptions;
  readonly root: string;
  readonly domain: string;
}

/** Begins a translation. */
export function begin(
  resources: readonly Resource[],
  options: TranslateOptions & { readonly running?: Running },
): Translation {
  const { rootNamespace: root = 'istio-system', domain = 'cluster.local' } = options;
  const running = options.running ?? new Running(options.instances);
  const directory = new Directory(resources, domain, running.values());
  const lookups = new Lookups(resources, directory);
  return { resources, directory, lookups, running, options, root, domain };
}

/** `VirtualService shop/order (order.yaml:12)`. */
export function originOf(resource: Resource): string {
  const { kind, metadata, file } = resource;
  return `${kind} ${metadata.namespace}/${metadata.name} (${file}:${resource.at(['kind']).line})`;
}

import type { Cluster } from './cluster.ts';

/** A case; each has namespaces of its own. */
export interface KubernetesCase {
  readonly name: string;
  readonly run: (cluster: Cluster) => Promise<void>;
}

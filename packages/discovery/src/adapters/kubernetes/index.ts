export type { KubernetesAccess } from './access.ts';
export { type KubeconfigOptions, readKubeconfig } from './kubeconfig.ts';
export { type KubernetesRegistryOptions, kubernetesRegistry } from './kubernetes-registry.ts';
export { type InClusterOptions, inCluster } from './node/in-cluster.ts';
export { kubeconfigFile } from './node/kubeconfig-file.ts';

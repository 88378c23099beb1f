export type { EtcdUser } from './etcd-client.ts';
export { type EtcdRegistryOptions, etcdRegistry } from './node/etcd-registry.ts';

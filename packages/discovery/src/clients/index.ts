// Thin clients of the servers that registries live in, for the parts of Heddle that keep other things there.
export {
  ConsulClient,
  type ConsulAnswer,
  type ConsulClientOptions,
} from '../adapters/consul/consul-client.ts';
export { EtcdClient, type EtcdClientOptions } from '../adapters/etcd/etcd-client.ts';
export { type EtcdRange, etcdRange } from '../adapters/etcd/etcd-keys.ts';
export { etcdWatch } from '../adapters/etcd/etcd-watch.ts';
export type { KubernetesAccess } from '../adapters/kubernetes/access.ts';
export type { Selection } from '../adapters/kubernetes/kinds.ts';
export { accessOf as kubernetesAccess } from '../adapters/kubernetes/driver.ts';
export { KubernetesClient } from '../adapters/kubernetes/kubernetes-client.ts';
export { listObjects, watchObjects, type WholeObject } from '../adapters/kubernetes/object-watch.ts';
export { NacosClient, type NacosReach } from '../adapters/nacos/nacos-client.ts';
export { credentialsOf } from '../open/credentials.ts';
export { type OpenRegistryOptions, worldOf } from '../open/open-registry.ts';
export { badUrl, parseRegistryUrl, type RegistryUrl } from '../open/registry-url.ts';
export { bearerCheck } from '../embedded/bearer-check.ts';
export { authorityOf } from '../health/probe/authority.ts';
export { grpcProbe } from '../health/probe/grpc-probe.ts';
export { tcpProbe } from '../health/probe/tcp-probe.ts';
export { readLines } from '../remote/line-reader.ts';
export { overHttp2 } from '../remote/over-http2.ts';
export { decodeError, decodeJson, encodeError, encodeJson, membersOf } from '../remote/protocol.ts';
export { type Answered, type Asked, ServerGroup } from '../servers/server-group.ts';

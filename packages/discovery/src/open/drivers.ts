import type { DiscoveryBackend } from '../service/discovery-backend.ts';
import type { RegistryDriver } from './driver.ts';

/** By backend, loaded when it is wanted: a process has the code of the registries that it uses. */
export const drivers: Readonly<Record<DiscoveryBackend, () => Promise<RegistryDriver>>> = {
  embedded: async () => (await import('../embedded/driver.ts')).driver,
  consul: async () => (await import('../adapters/consul/driver.ts')).driver,
  etcd: async () => (await import('../adapters/etcd/driver.ts')).driver,
  zookeeper: async () => (await import('../adapters/zookeeper/driver.ts')).driver,
  kubernetes: async () => (await import('../adapters/kubernetes/driver.ts')).driver,
  eureka: async () => (await import('../adapters/eureka/driver.ts')).driver,
  nacos: async () => (await import('../adapters/nacos/driver.ts')).driver,
  dns: async () => (await import('../adapters/dns/driver.ts')).driver,
  xds: async () => (await import('../adapters/xds/driver.ts')).driver,
};

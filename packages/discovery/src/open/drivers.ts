import type { DiscoveryBackend } from '../service/discovery-backend.ts';
import type { RegistryDriver } from './driver.ts';

/** By backend, loaded when it is wanted: a process has the code of the registries that it uses. */
export const drivers: Readonly<Partial<Record<DiscoveryBackend, () => Promise<RegistryDriver>>>> = {
  embedded: async () => (await import('../embedded/driver.ts')).driver,
  etcd: async () => (await import('../adapters/etcd/driver.ts')).driver,
  kubernetes: async () => (await import('../adapters/kubernetes/driver.ts')).driver,
  xds: async () => (await import('../adapters/xds/driver.ts')).driver,
  dns: async () => (await import('../adapters/dns/driver.ts')).driver,
};

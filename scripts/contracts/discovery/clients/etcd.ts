// A client of etcd as a process of its own has it: with a thread that keeps its leases.
import type { Registry } from '@heddle/discovery';
import { type EtcdRegistryOptions, etcdRegistry } from '@heddle/discovery/etcd';
import type { Runtime } from '@heddle/kernel';

/** See `ClientModule`. */
export function openRegistry(runtime: Runtime, options: Omit<EtcdRegistryOptions, 'runtime'>): Registry {
  return etcdRegistry({ ...options, runtime });
}

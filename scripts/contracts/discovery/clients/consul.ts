// A client of etcd as a process of its own has it: with a thread that keeps its leases.
import type { Registry } from '@heddle/discovery';
import { type ConsulRegistryOptions, consulRegistry } from '@heddle/discovery/consul';
import type { Runtime } from '@heddle/kernel';

/** See `ClientModule`. */
export function openRegistry(runtime: Runtime, options: Omit<ConsulRegistryOptions, 'runtime'>): Registry {
  return consulRegistry({ ...options, runtime });
}

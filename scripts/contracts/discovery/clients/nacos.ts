// A client of Nacos as a process of its own has it: with a thread that keeps its leases.
import type { Registry } from '@heddle/discovery';
import { nacosRegistry, type ThreadedNacosOptions } from '@heddle/discovery/nacos';
import type { Runtime } from '@heddle/kernel';

/** See `ClientModule`. */
export function openRegistry(runtime: Runtime, options: Omit<ThreadedNacosOptions, 'runtime'>): Registry {
  return nacosRegistry({ ...options, runtime });
}

export type { ConsulCheck, ConsulCheckTimes } from './consul-check.ts';
export { type ConsulRegistryOptions, consulRegistry } from './node/consul-registry.ts';

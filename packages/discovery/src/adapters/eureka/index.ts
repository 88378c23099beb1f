export type { EurekaReach, EurekaServer } from './eureka-client.ts';
export type { EurekaRegistryOptions } from './eureka-registry.ts';
export { eurekaRegistry, type ThreadedEurekaOptions } from './node/eureka-registry.ts';

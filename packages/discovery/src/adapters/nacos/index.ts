export type { NacosReach } from './nacos-client.ts';
export type { NacosRegistryOptions } from './nacos-registry.ts';
export { nacosRegistry, type ThreadedNacosOptions } from './node/nacos-registry.ts';

export type { NacosReach } from './nacos-client.ts';
export { type NacosRegistryOptions, nacosRegistry } from './nacos-registry.ts';

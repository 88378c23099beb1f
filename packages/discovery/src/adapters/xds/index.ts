export type { XdsNode } from './ads-protocol.ts';
export { type XdsRegistryOptions, xdsRegistry } from './xds-registry.ts';

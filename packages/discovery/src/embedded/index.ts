export { EmbeddedRegistry, type EmbeddedRegistryOptions, embeddedRegistry } from './embedded-registry.ts';
export type { LeaseStore, LeaseStoreOptions, LeaseStoreStatus } from './lease-store.ts';

export { EmbeddedRegistry, type EmbeddedRegistryOptions, embeddedRegistry } from './embedded-registry.ts';
export type { LeaseStore, LeaseStoreOptions, LeaseStoreStatus } from './lease-store.ts';
export { type RegistryServiceOptions, registryService } from './registry-service.ts';

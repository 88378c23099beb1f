export {
  type Health,
  healthValues,
  hostPort,
  type Instance,
  type InstanceInit,
  type InstanceState,
  instanceStates,
  type Protocol,
  protocols,
} from './registry/instance.ts';
export type { ConfirmedLease, LeaseKeeper } from './registry/lease-keeper.ts';
export type { DesiredRegistration, Registry } from './registry/registry.ts';
export { comparePositions, type Position, type Snapshot, type SnapshotSource } from './registry/snapshot.ts';
export {
  badInstance,
  checkServiceName,
  type FieldViolation,
  instance,
  readInstance,
} from './registry/validate-instance.ts';
export type { EndpointListener, EndpointSnapshot, Resolver } from './resolve/endpoint-snapshot.ts';
export { type ResolverOptions, resolver } from './resolve/resolver.ts';
export { parseTarget, type Subset, type Target } from './resolve/target.ts';
export { type RemoteRegistryOptions, remoteRegistry } from './remote/remote-registry.ts';
export type { Reach } from './remote/registry-servers.ts';
export { type EmptyPushGuardOptions, emptyPushGuard, type HeldBack } from './guard/empty-push-guard.ts';
export { type LastKnownGoodOptions, lastKnownGood } from './guard/last-known-good.ts';

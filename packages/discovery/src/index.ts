export type { HealthCheck } from './health/health-check.ts';
export {
  type CheckResult,
  defaultHealthRules,
  type HealthRules,
} from './health/health-state.ts';
export {
  checkService,
  type HealthView,
  reportHealth,
  type ServiceChecks,
  type ServiceChecksOptions,
} from './health/health-view.ts';
export type { HttpProbeOptions } from './health/probe/http-probe.ts';
export type { ScriptEnd, ScriptRunner } from './health/probe/script-probe.ts';
export {
  type CheckOptions,
  type HealthListener,
  type RunningCheck,
  startCheck,
} from './health/running-check.ts';
export { startTtlCheck, type TtlCheck, type TtlCheckOptions } from './health/ttl-check.ts';
export {
  type Health,
  healthValues,
  hostPort,
  sameInstance,
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
export type {
  EndpointListener,
  EndpointSnapshot,
  ExcludedCounts,
  Resolver,
} from './resolve/endpoint-snapshot.ts';
export { type ResolverOptions, resolver } from './resolve/resolver.ts';
export type { Subsetting } from './resolve/subsetting.ts';
export { parseTarget, type Subset, type Target } from './resolve/target.ts';
export { type RemoteRegistryOptions, remoteRegistry } from './remote/remote-registry.ts';
export type { Reach } from './servers/server-group.ts';
export { type EmptyPushGuardOptions, emptyPushGuard, type HeldBack } from './guard/empty-push-guard.ts';
export { merge, type MergeOptions } from './merge/merge.ts';
export { type LastKnownGoodOptions, lastKnownGood } from './guard/last-known-good.ts';
export {
  type BalancingPolicy,
  balancingPolicies,
  type ServiceConfig,
  type ServiceConfigInit,
  serviceConfig,
} from './service/service-config.ts';
export { type DiscoveryBackend, discoveryBackends } from './service/discovery-backend.ts';
export { parseRegistryUrl, type RegistryUrl } from './open/registry-url.ts';

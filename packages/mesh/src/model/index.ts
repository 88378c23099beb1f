export {
  type Balance,
  type Cluster,
  clusterName,
  type ClusterSource,
  type ClusterTls,
  type HashBy,
  type LocalityRules,
  type OutlierLimits,
  type PoolLimits,
  type WarmUp,
} from './cluster.ts';
export { type Assignment, type Locality, localityText, type MeshEndpoint } from './endpoint.ts';
export {
  type EgressScope,
  type GatewayCertificate,
  type GatewayListener,
  type GatewaySecret,
  type GatewayServer,
  type GatewayTls,
  type InboundPort,
  type MtlsMode,
  type ServiceListener,
  spiffeIdOf,
  type Undone,
  type VirtualHost,
  type Workload,
} from './listener.ts';
export type { HeaderMatch, PathCondition, RuleMatch, SourceMatch, StringMatch } from './match.ts';
export { emptyModel, type MeshModel } from './mesh-model.ts';
export type {
  Among,
  JwtRule,
  MeshPolicy,
  PolicyCondition,
  PolicyOperation,
  PolicyRule,
  PolicySource,
  TokenPlace,
} from './policy.ts';
export type {
  ClusterShare,
  RetryRules,
  RouteRule,
  RuleAction,
  RuleCors,
  RuleFault,
  RuleMirror,
  RuleRewrite,
} from './rule.ts';

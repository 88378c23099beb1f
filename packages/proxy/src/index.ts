export { jsonAnswer } from './answer/json-answer.ts';
export { ask, fetchText, type Question } from './auth/fetch-text.ts';
export { Gateway, type GatewayOptions, type Prepared } from './gateway.ts';
export type { OpenedStore, OpenStore } from './limit/limit-store.ts';
export type { PlaceLease } from './limit/places.ts';
export type { RateLimitStoreConfig } from './limit/store-schema.ts';
export {
  type ConfigDocument,
  type GatewayConfig,
  loadGatewayConfig,
  loadGatewayDocuments,
  type QuarantinedRoute,
  readGatewayConfig,
  readGatewayDocuments,
} from './model/gateway-config.ts';
export { badConfig, type ConfigProblem } from './model/problem.ts';
export type { RouteConfig, RouteMatch } from './model/route.ts';
export type { CheckPolicies, PolicyResource } from './model/istio/policy.ts';
export { addressOf } from './forward/client-address.ts';
export { arrivedAt } from './server/arrived.ts';
export { type EndedTls, serverAt, type ServerCertificate, type ServerConfig } from './model/server.ts';
export type { Pass, PassedConnection } from './server/passed.ts';
export { explain, type Explanation } from './router/explain.ts';
export { type NormalPath, normalPath } from './router/normal-path.ts';
export type { SharedVerdicts, Verdict } from '@heddle/upstream';
export type { Target } from './upstream/targets.ts';
export { type Change, diffConfigs, shownConfig } from './version/diff.ts';
export { shownDocuments } from './version/shown-documents.ts';
export {
  GatewayVersions,
  type GatewayVersionsOptions,
  type Refusal,
  type Version,
} from './version/versions.ts';

export { acceptResources } from './resources/accept.ts';
export { readingCatalogue, type CatalogueEntry, type ReadingCode } from './resources/catalogue.ts';
export type * from './resources/terms.ts';
export { durationMs } from './resources/terms.ts';
export type * from './resources/destination-rule.ts';
export { type Finding, fieldOf, type ObjectName, type Position, type Severity } from './resources/finding.ts';
export type * from './resources/istio-gateway.ts';
export type * from './resources/kubernetes-gateway.ts';
export type * from './resources/kubernetes-route.ts';
export type * from './resources/kubernetes.ts';
export { type Loaded, loadResources, type LoadOptions, type ResourceFile } from './resources/load.ts';
export {
  type Metadata,
  objectName,
  ofType,
  type Resource,
  type ResourceOf,
  type ResourceType,
  type SpecOf,
} from './resources/resource.ts';
export type * from './resources/security.ts';
export type * from './resources/service-entry.ts';
export type { Path } from './resources/shape.ts';
export type * from './resources/sidecar.ts';
export type * from './resources/telemetry.ts';
export type * from './resources/virtual-service.ts';

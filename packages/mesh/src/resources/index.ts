export { acceptResources } from './accept.ts';
export { readingCatalogue, type CatalogueEntry, type ReadingCode } from './catalogue.ts';
export type * from './terms.ts';
export { durationMs } from './terms.ts';
export type * from './destination-rule.ts';
export { type Finding, fieldOf, type ObjectName, type Position, type Severity } from './finding.ts';
export { type FindingPlace, makeFinding } from './findings.ts';
export type * from './istio-gateway.ts';
export type * from './kubernetes-gateway.ts';
export type * from './kubernetes-route.ts';
export type * from './kubernetes.ts';
export { kinds } from './kinds.ts';
export { type Loaded, loadResources, type LoadOptions, type ResourceFile } from './load.ts';
export {
  type Metadata,
  objectName,
  ofType,
  type Resource,
  type ResourceOf,
  type ResourceType,
  type SpecOf,
} from './resource.ts';
export type * from './security.ts';
export type * from './service-entry.ts';
export type { Path, Shape } from './shape.ts';
export type * from './sidecar.ts';
export type * from './telemetry.ts';
export type * from './virtual-service.ts';

export { BuiltInServiceMesh, type BuiltInServiceMeshOptions } from './built-in-service-mesh.ts';
export { IstioServiceMesh, type IstioServiceMeshOptions } from './istio-service-mesh.ts';
export { type MetricSource, PrometheusQueries, type QueriedValue } from './prometheus-queries.ts';
export type * from './service-mesh.ts';

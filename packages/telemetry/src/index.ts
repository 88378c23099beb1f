export { Counter } from './metrics/counter.ts';
export { expose, expositionType } from './metrics/exposition.ts';
export { Family, type FamilyOptions, type Overflow, otherValue, type Series } from './metrics/family.ts';
export { Gauge } from './metrics/gauge.ts';
export { durationBuckets, Histogram } from './metrics/histogram.ts';
export {
  endpointOf,
  nameEndpoint,
  type HttpMetricsOptions,
  httpClientMetrics,
  httpServerMetrics,
} from './metrics/http-metrics.ts';
export { metricsService } from './metrics/metrics-service.ts';
export { parseExposition, type Sample } from './metrics/parse-exposition.ts';
export { type ProcessReading, processMetrics } from './metrics/process-metrics.ts';
export { registrationGauge } from './metrics/registration-gauge.ts';
export { type HistogramOptions, type Metric, MetricRegistry } from './metrics/registry.ts';
export type { RpcSide } from './metrics/rpc-families.ts';
export { type RpcMetricsOptions, rpcMetrics } from './metrics/rpc-metrics.ts';
export { serverMetrics } from './metrics/server-metrics.ts';
export { type Span, traced, type TracedOptions } from './tracing/traced.ts';

export { alertmanagerApi, isAlertmanagerCall } from './alerts/api/alertmanager-api.ts';
export { isRulesQuery, rulesApi } from './alerts/api/rules-api.ts';
export { AlertEngine, type AlertEngineOptions } from './alerts/alert-engine.ts';
export { type AlertState, AlertStateFile } from './alerts/alert-state.ts';
export { slack, type SlackOptions } from './alerts/channels/slack.ts';
export { webhook, type WebhookOptions } from './alerts/channels/webhook.ts';
export type { Channel } from './alerts/notify/channel.ts';
export { fingerprintOf, type LabelMatcher, matcherText, readMatcher } from './alerts/notify/matcher.ts';
export {
  type ChannelConfig,
  type MailConfig,
  type NotifyConfig,
  readNotifyConfig,
  type Receiver,
  type Route,
  type Secret,
  tellNobody,
} from './alerts/notify/notify-config.ts';
export {
  type Delivery,
  noNotifyState,
  type Notification,
  type NotifyState,
  type Silence,
} from './alerts/notify/notify-state.ts';
export {
  nextTickMs,
  type NotifyInput,
  type NotifyStep,
  type SaidAlert,
  stepNotify,
} from './alerts/notify/notify-step.ts';
export { defaultGroup, defaultRules } from './alerts/rules/default-rules.ts';
export { writeRules } from './alerts/rules/rule-document-writer.ts';
export { readRules } from './alerts/rules/rule-document.ts';
export { type ActiveAlert, type RuleState, stepRule } from './alerts/rules/rule-step.ts';
export type { AlertRule, RecordingRule, Rule, RuleGroup } from './alerts/rules/rule.ts';
export { type Dashboard, dashboards, grafanaDashboard, type Panel } from './export/dashboards.ts';
export { accessLog } from './logging/access-log.ts';
export { Counter } from './metrics/counter.ts';
export { expose, exposeOpenMetrics, expositionType, openMetricsType } from './metrics/exposition.ts';
export { Family, type FamilyOptions, type Overflow, otherValue, type Series } from './metrics/family.ts';
export { Gauge } from './metrics/gauge.ts';
export { durationBuckets, type Exemplar, Histogram } from './metrics/histogram.ts';
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
export {
  type EdgeMetrics,
  type MeshLatency,
  type MeshMetrics,
  meshMetrics,
  type MeshQuery,
  type MeshSample,
  type TrafficMetrics,
} from './mesh/mesh-metrics.ts';
export { isMeshMetricsQuery, meshMetricsApi } from './mesh/mesh-metrics-api.ts';
export { prometheusQuery, storeQuery } from './mesh/mesh-query.ts';
export { decodeLogsJson, decodeTracesJson } from './otlp/decode-json.ts';
export { decodeLogs } from './otlp/decode-logs.ts';
export { decodeMetrics } from './otlp/decode-metrics.ts';
export type { ReceivedMetrics, Refusal } from './otlp/metric-points.ts';
export { MetricStreams, type MetricStreamsOptions } from './otlp/metric-streams.ts';
export { decodeTraces } from './otlp/decode-traces.ts';
export { encodeLogs, encodeTraces, type LogLine } from './otlp/encode.ts';
export { encodeMetrics } from './otlp/encode-metrics.ts';
export { MetricExporter, type MetricExporterOptions } from './otlp/metric-exporter.ts';
export type { OtlpReceiver } from './otlp/otlp-post.ts';
export { type Observed, observed, type TelemetrySettings, telemetrySettings } from './otlp/observed.ts';
export { ProtobufReader } from './otlp/protobuf-reader.ts';
export { ProtobufWriter } from './otlp/protobuf-writer.ts';
export { type ExportCounts, OtlpExporter, type OtlpExporterOptions } from './otlp/otlp-exporter.ts';
export {
  isOtlp,
  type OtlpServiceOptions,
  otlpService,
  type OtlpSink,
  type RawRequest,
  type Signal,
} from './otlp/otlp-service.ts';
export {
  envoyAccessLogs,
  type EnvoyAccessLogsOptions,
  isEnvoyAccessLogs,
} from './envoy/access-log-service.ts';
export type {
  Attributes,
  AttributeValue,
  LogData,
  MetricPoint,
  Received,
  Resource,
  SpanData,
  SpanEvent,
  SpanLink,
} from './otlp/signal.ts';
export type { Expression } from './promql/ast.ts';
export { type Answer, queryInstant, queryRange } from './promql/evaluate.ts';
export type { QueryRange } from './promql/evaluating.ts';
export { Labels } from './promql/labels.ts';
export { NativeHistogram, type NativeHistogramInit, type ResetHint } from './promql/native-histogram.ts';
export { parsePromQl } from './promql/parse.ts';
export type {
  Element,
  Matcher,
  Point,
  RangeElement,
  SeriesData,
  SeriesSource,
  Value,
} from './promql/source.ts';
export { isJaegerQuery, jaegerApi } from './query/jaeger-api.ts';
export { isTelemetryQuery, telemetryApi } from './query/telemetry-api.ts';
export { isPrometheusQuery, type MetricReader, prometheusApi } from './query/prometheus-api.ts';
export type { History, HistoryBatch } from './store/history.ts';
export { LogShipper, type LogShipperOptions } from './shipping/log-shipper.ts';
export {
  bucketBoundsUs,
  type Edge,
  edgeQuantileUs,
  type LogQuery,
  type SpanQuery,
  type TelemetryReader,
  type Trace,
} from './store/query.ts';
export { MetricArchive } from './store/metric-archive.ts';
export type { ArchivedSample, MetricHistory } from './store/metric-history.ts';
export { MetricStore, type MetricStoreOptions } from './store/metric-store.ts';
export { TelemetryStore, type TelemetryStoreOptions } from './store/telemetry-store.ts';
export { serverSpans } from './tracing/http-spans.ts';
export { traced, type TracedOptions } from './tracing/traced.ts';
export { statusOfExchange, watchExchange } from './metrics/watch-exchange.ts';

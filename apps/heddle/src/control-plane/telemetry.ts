import path from 'node:path';
import type { Part, Runtime } from '@heddle/kernel';
import {
  alertmanagerApi,
  isAlertmanagerCall,
  isJaegerQuery,
  isMeshMetricsQuery,
  envoyAccessLogs,
  isEnvoyAccessLogs,
  isOtlp,
  isPrometheusQuery,
  isRulesQuery,
  isTelemetryQuery,
  jaegerApi,
  LogShipper,
  meshMetricsApi,
  MetricArchive,
  type MetricRegistry,
  MetricStore,
  otlpService,
  type OtlpSink,
  prometheusApi,
  rulesApi,
  storeQuery,
  telemetryApi,
  type TelemetryReader,
  TelemetryStore,
} from '@heddle/telemetry';
import { openDuckDbHistory } from '@heddle/telemetry/store';
import { Fields, type HttpRequest, type HttpService, wholeBody } from '@heddle/wire';
import { type AlertConfig, alertEngine } from './alerts.ts';
import { isLoopback } from './console-service.ts';
import { MetricIntake } from './metric-intake.ts';
import type { ScrapeListener } from './observer.ts';

/** The telemetry of a control plane: its store, and the ways in and out. */
export interface ControlPlaneTelemetry {
  /** The archive of metrics stops before the store, which closes the history of both. */
  readonly parts: readonly Part[];
  /** What can be asked about what was observed. */
  readonly reader: TelemetryReader;
  /** For the observer. */
  readonly onScrape: ScrapeListener;
  /** The service for a request that is one of telemetry; undefined for others. */
  serviceFor(request: HttpRequest): HttpService | undefined;
}

const elsewhere: HttpService = async () => {
  const fields = Fields.of({ 'content-type': 'text/plain; charset=utf-8' });
  return { status: 421, fields, body: wholeBody(new TextEncoder().encode('answers to localhost only\n')) };
};

/** What the telemetry of a control plane is told. */
export interface TelemetryOptions {
  readonly dataFolder: string;
  /** What comes in must show it, and what changes alerts. */
  readonly token: string;
  readonly alerts: AlertConfig;
  /** OpenSearch or Elasticsearch that gets all log lines too. */
  readonly logStore?: { readonly url: string; readonly authorization: string | undefined } | undefined;
  /** Takes what alerts and log shipping say of themselves. */
  readonly registry: MetricRegistry;
  /** Where the control plane is reached. */
  readonly url: () => string;
}

/** Opens the store below the data folder, and begins to watch it. */
export async function controlPlaneTelemetry(
  runtime: Runtime,
  { dataFolder, token, alerts, registry, url, logStore }: TelemetryOptions,
): Promise<ControlPlaneTelemetry> {
  const { clock } = runtime;
  const folder = path.join(dataFolder, 'telemetry', 'history');
  const history = await openDuckDbHistory({ folder, wallMs: () => clock.wallMs() });
  const metrics = new MetricStore();
  const archive = new MetricArchive(runtime, metrics, history);
  const store = new TelemetryStore({ runtime, history, metrics: (points) => archive.push(points) });
  const shipper =
    logStore === undefined ? undefined : new LogShipper({ runtime, ...logStore, metrics: registry });
  const sink = shipper === undefined ? store : shippedToo(store, shipper);
  const refused = registry.counter({
    name: 'otlp_refused_points_total',
    help: 'Points of metrics that came by OTLP and were not taken.',
    labels: ['metric', 'reason'],
  });
  const intake = otlpService({
    sink,
    token,
    onRefused: ({ metric, reason, points }) => refused.series(metric, reason).inc(points),
  });
  const envoys = envoyAccessLogs({ runtime, sink, token });
  const jaeger = jaegerApi(store, clock);
  const own = telemetryApi(store, clock);
  const prometheus = prometheusApi(archive, clock);
  const scraped = new MetricIntake(metrics, clock);
  const engine = alertEngine(alerts, { runtime, archive, metrics, registry, externalUrl: url });
  const queries: readonly (readonly [is: (request: HttpRequest) => boolean, service: HttpService])[] = [
    [isJaegerQuery, jaeger],
    [isPrometheusQuery, prometheus],
    [isTelemetryQuery, own],
    [isMeshMetricsQuery, meshMetricsApi(storeQuery(archive), clock)],
    [isRulesQuery, rulesApi(engine)],
    [isAlertmanagerCall, alertmanagerApi(engine, token)],
  ];
  return {
    parts: [store, archive, engine, ...(shipper === undefined ? [] : [shipper])],
    reader: store,
    onScrape: (instance, samples) => scraped.take(instance, samples),
    serviceFor: (request) => {
      if (isOtlp(request)) return intake;
      if (isEnvoyAccessLogs(request)) return envoys;
      const service = queries.find(([is]) => is(request))?.[1];
      return service === undefined || isLoopback(request.authority) ? service : elsewhere;
    },
  };
}

/** Lines go to the shipper first: what it has no room for is refused as a whole, and its sender keeps it. */
function shippedToo(store: OtlpSink, shipper: LogShipper): OtlpSink {
  return {
    spans: (received, raw) => store.spans(received, raw),
    metrics: (received, raw) => store.metrics(received, raw),
    logs: async (received, raw) => {
      await shipper.take(raw.bytes, received.items);
      await store.logs(received, raw);
    },
  };
}

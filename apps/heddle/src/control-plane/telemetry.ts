import path from 'node:path';
import type { Part, Runtime } from '@heddle/kernel';
import {
  isJaegerQuery,
  isOtlp,
  isPrometheusQuery,
  isTelemetryQuery,
  jaegerApi,
  MetricArchive,
  MetricStore,
  otlpService,
  prometheusApi,
  telemetryApi,
  type TelemetryReader,
  TelemetryStore,
} from '@heddle/telemetry';
import { openDuckDbHistory } from '@heddle/telemetry/store';
import { Fields, type HttpRequest, type HttpService, wholeBody } from '@heddle/wire';
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

/** Opens the store below the data folder. What comes in must show the token of the registry, as everything does here. */
export async function controlPlaneTelemetry(
  runtime: Runtime,
  dataFolder: string,
  token: string,
): Promise<ControlPlaneTelemetry> {
  const { clock } = runtime;
  const folder = path.join(dataFolder, 'telemetry', 'history');
  const history = await openDuckDbHistory({ folder, wallMs: () => clock.wallMs() });
  const metrics = new MetricStore();
  const archive = new MetricArchive(runtime, metrics, history);
  const store = new TelemetryStore({ runtime, history, metrics: (points) => archive.push(points) });
  const intake = otlpService({ sink: store, token });
  const jaeger = jaegerApi(store, clock);
  const own = telemetryApi(store, clock);
  const prometheus = prometheusApi(archive, clock);
  const scraped = new MetricIntake(metrics, clock);
  return {
    parts: [store, archive],
    reader: store,
    onScrape: (instance, samples) => scraped.take(instance, samples),
    serviceFor: (request) => {
      if (isOtlp(request)) return intake;
      const service = isJaegerQuery(request)
        ? jaeger
        : isPrometheusQuery(request)
          ? prometheus
          : isTelemetryQuery(request)
            ? own
            : undefined;
      return service === undefined || isLoopback(request.authority) ? service : elsewhere;
    },
  };
}

import path from 'node:path';
import type { Runtime } from '@heddle/kernel';
import {
  isJaegerQuery,
  isOtlp,
  isTelemetryQuery,
  jaegerApi,
  otlpService,
  telemetryApi,
  TelemetryStore,
} from '@heddle/telemetry';
import { openDuckDbHistory } from '@heddle/telemetry/store';
import type { HttpRequest, HttpService } from '@heddle/wire';

/** The telemetry of a control plane: its store, and the ways in and out. */
export interface ControlPlaneTelemetry {
  readonly store: TelemetryStore;
  /** The service for a request that is one of telemetry; undefined for others. */
  serviceFor(request: HttpRequest): HttpService | undefined;
}

/** Opens the store below the data folder. What comes in must show the token of the registry, as everything does here. */
export async function controlPlaneTelemetry(
  runtime: Runtime,
  dataFolder: string,
  token: string,
): Promise<ControlPlaneTelemetry> {
  const { clock } = runtime;
  const folder = path.join(dataFolder, 'telemetry', 'history');
  const history = await openDuckDbHistory({ folder, wallMs: () => clock.wallMs() });
  const store = new TelemetryStore({ runtime, history });
  const intake = otlpService({ sink: store, token });
  const jaeger = jaegerApi(store, clock);
  const own = telemetryApi(store, clock);
  return {
    store,
    serviceFor: (request) => {
      if (isOtlp(request)) return intake;
      if (isJaegerQuery(request)) return jaeger;
      return isTelemetryQuery(request) ? own : undefined;
    },
  };
}

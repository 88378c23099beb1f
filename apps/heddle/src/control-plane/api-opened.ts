import type { EmbeddedRegistry } from '@heddle/discovery/embedded';
import type { Runtime } from '@heddle/kernel';
import type { MetricRegistry } from '@heddle/telemetry';
import type { HttpService } from '@heddle/wire';
import type { ControlPlaneSettings } from '../settings/control-plane-settings.ts';
import type { OwnSettings } from '../settings/own-settings.ts';
import { ApiAdmission } from './api-admission.ts';
import { ApiCatalogue } from './api-catalogue.ts';
import { consumersOf } from './api-consumers.ts';
import { apiFront } from './api-front.ts';
import type { ControlPlaneTelemetry } from './telemetry.ts';

/** What the catalogue of a control plane works with. */
export interface ContractsOptions {
  readonly runtime: Runtime;
  readonly registry: EmbeddedRegistry;
  readonly telemetry: ControlPlaneTelemetry;
  readonly settings: OwnSettings<ControlPlaneSettings>;
  /** Of the registry. */
  readonly token: string;
  readonly metrics: MetricRegistry;
}

/** Opens the catalogue: its guard before the registry, and its HTTP API. */
export async function openContracts(
  options: ContractsOptions,
): Promise<{ readonly admission: ApiAdmission; readonly contracts: HttpService }> {
  const { runtime, registry, telemetry, settings, token, metrics } = options;
  const set = (): ControlPlaneSettings['api'] => settings.client.current.api;
  const catalogue: ApiCatalogue = await ApiCatalogue.open({
    runtime,
    usesOf: consumersOf({
      clock: runtime.clock,
      telemetry: telemetry.reader,
      entries: () => catalogue.entries,
      days: () => set().consumerDays,
    }),
    onBreaking: () => set().onBreaking,
  });
  const admission = new ApiAdmission({
    runtime,
    registry,
    catalogue,
    contractMs: () => set().contractMs,
    onUndecided: () => set().onUndecided,
    metrics,
  });
  return { admission, contracts: apiFront({ runtime, registry, catalogue, admission, token }) };
}

import type { EmbeddedRegistry } from '@heddle/discovery/embedded';
import type { Runtime } from '@heddle/kernel';
import type { TelemetryReader } from '@heddle/telemetry';
import type { HttpService } from '@heddle/wire';
import type { ControlPlaneSettings } from '../settings/control-plane-settings.ts';
import { ApiAdmission } from './api-admission.ts';
import { ApiCatalogue } from './api-catalogue.ts';
import { consumersOf } from './api-consumers.ts';
import { apiFront } from './api-front.ts';

/** What the catalogue works on. */
export interface ApiPartOptions {
  readonly runtime: Runtime;
  readonly registry: EmbeddedRegistry;
  readonly telemetry: TelemetryReader;
  /** Asked each time: they change while it runs. */
  readonly settings: () => ControlPlaneSettings;
  readonly adminToken: string | undefined;
}

/** The catalogue of a control plane. */
export interface ApiPart {
  /** Collects contracts at registration; before the registry's own protocol. A part of the process. */
  readonly admission: ApiAdmission;
  readonly service: HttpService;
}

/** Opens the catalogue that the data folder has. */
export async function apiPart(options: ApiPartOptions): Promise<ApiPart> {
  const { runtime, registry, telemetry, settings, adminToken } = options;
  const catalogue = await ApiCatalogue.open({
    runtime,
    usesOf: consumersOf({
      clock: runtime.clock,
      telemetry,
      entries: () => catalogue.entries,
      days: () => settings().api.consumerDays,
    }),
    onBreaking: () => settings().api.onBreaking,
  });
  const contractMs = (): number => settings().api.contractMs;
  const admission = new ApiAdmission({ runtime, registry, catalogue, contractMs });
  return { admission, service: apiFront({ runtime, registry, catalogue, admission, adminToken }) };
}

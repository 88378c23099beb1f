import type { Registry } from '@heddle/discovery';
import type { EmbeddedRegistry } from '@heddle/discovery/embedded';
import type { Runtime } from '@heddle/kernel';
import type { MetricRegistry } from '@heddle/telemetry';
import type { HttpService } from '@heddle/wire';
import type { ControlPlaneSettings } from '../settings/control-plane-settings.ts';
import type { OwnSettings } from '../settings/own-settings.ts';
import { ApiAdmission } from './api-admission.ts';
import { ApiJudge } from './api-judge.ts';
import { ApiOuterAdmission } from './api-outer-admission.ts';
import { ApiCatalogue } from './api-catalogue.ts';
import { consumersOf } from './api-consumers.ts';
import { apiFront, type Release } from './api-front.ts';
import type { ControlPlaneTelemetry } from './telemetry.ts';

/** What the catalogue of a control plane works with. */
export interface ContractsOptions {
  readonly runtime: Runtime;
  readonly registry: EmbeddedRegistry;
  /** Registries of others whose registrations are judged too; they are closed with it. */
  readonly guarded: readonly Registry[];
  readonly telemetry: ControlPlaneTelemetry;
  readonly settings: OwnSettings<ControlPlaneSettings>;
  /** Of the registry. */
  readonly token: string;
  readonly metrics: MetricRegistry;
}

/** The contracts of a control plane. */
export interface OpenContracts {
  readonly catalogue: ApiCatalogue;
  /** The guard before the registry. */
  readonly admission: ApiAdmission;
  /** The guards of registries that others register in directly. */
  readonly outside: readonly ApiOuterAdmission[];
  readonly release: Release;
  /** Its HTTP API for programs. */
  readonly service: HttpService;
  /** Who uses some operations of a service, as far as that is seen or said. */
  readonly usesOf: ReturnType<typeof consumersOf>;
}

/** Opens the catalogue with its guard and its HTTP API. */
export async function openContracts(options: ContractsOptions): Promise<OpenContracts> {
  const { runtime, registry, telemetry, settings, token, metrics } = options;
  const set = (): ControlPlaneSettings['api'] => settings.client.current.api;
  const usesOf = consumersOf({
    clock: runtime.clock,
    telemetry: telemetry.reader,
    entries: () => catalogue.entries,
    days: () => set().consumerDays,
  });
  const catalogue: ApiCatalogue = await ApiCatalogue.open({
    runtime,
    usesOf,
    onBreaking: () => set().onBreaking,
  });
  const refusedBefore = new Set(
    catalogue.entries.flatMap((entry) => entry.quarantined.map(({ hash }) => `${entry.service} ${hash}`)),
  );
  const judge = new ApiJudge({
    runtime,
    catalogue,
    contractMs: () => set().contractMs,
    onUndecided: () => set().onUndecided,
    metrics,
  });
  const admission = new ApiAdmission({ runtime, registry, judge });
  const isRefused = (name: string, hash: string): boolean =>
    refusedBefore.has(`${name} ${hash}`) &&
    catalogue.entry(name)?.quarantined.some((one) => one.hash === hash) === true;
  const outside = options.guarded.map(
    (guarded) => new ApiOuterAdmission({ runtime, registry: guarded, judge, isRefused }),
  );
  const release: Release = async (...which) => {
    for (const guard of [admission, ...outside]) await guard.release(...which);
  };
  const service = apiFront({ runtime, registry, catalogue, release, token });
  return { catalogue, admission, outside, release, service, usesOf };
}

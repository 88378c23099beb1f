import type { Part, Runtime } from '@heddle/kernel';
import type { HttpService } from '@heddle/wire';
import { certificateRoutes } from './api-certificates.ts';
import { meshRoutes } from './api-mesh.ts';
import { type MeshFiles, type MeshScope, MeshStore } from './api-mesh-store.ts';
import { RolloutDesk } from './api-rollout-desk.ts';
import { measureBy, rolloutRoutes } from './api-rollouts.ts';
import type { ConsoleRoute } from './console-api.ts';
import type { ControlPlaneTelemetry } from './telemetry.ts';

/** The mesh of a control plane, as the console finds it. */
export interface ConsoleMesh {
  /** Its own API; undefined: this control plane serves none. */
  readonly service: HttpService | undefined;
  /** Of its operators: the console asks on behalf of those who may. */
  readonly token: string;
  /** Its rules; undefined: they do not lie in files here. */
  readonly files: MeshFiles | undefined;
  readonly scope: MeshScope;
}

/** Opens the pages of the mesh: rules, rollouts, certificates. */
export async function consoleMesh(
  runtime: Runtime,
  { service, token, files, scope }: ConsoleMesh,
  telemetry: ControlPlaneTelemetry,
): Promise<{ readonly routes: readonly ConsoleRoute[]; readonly parts: readonly Part[] }> {
  const store = files && (await MeshStore.open(runtime, files, scope));
  const measure = measureBy(runtime, (request) => telemetry.serviceFor(request));
  const desk =
    store &&
    (await RolloutDesk.open(runtime, store, ({ shift, plan }) => measure(shift.name, shift.to, plan.lookMs)));
  const routes = [
    ...meshRoutes({ runtime, reader: telemetry.reader, store, mesh: service, token }),
    ...rolloutRoutes({ store, desk, measure }),
    ...certificateRoutes({ mesh: service, token }),
  ];
  const part: Part = {
    name: 'rollouts',
    start: () => Promise.resolve(),
    drain: async () => desk?.close(),
    stop: async () => desk?.close(),
  };
  return { routes, parts: [part] };
}

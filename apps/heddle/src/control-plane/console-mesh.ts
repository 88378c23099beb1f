import type { Part, Runtime } from '@heddle/kernel';
import type { HttpService } from '@heddle/wire';
import { certificateRoutes } from './api-certificates.ts';
import { meshRoutes } from './api-mesh.ts';
import { servedFiles } from './api-mesh-served.ts';
import { type MeshFiles, type MeshScope, MeshStore } from './api-mesh-store.ts';
import { RolloutDesk } from './api-rollout-desk.ts';
import { measureBy, rolloutRoutes } from './api-rollouts.ts';
import type { ConsoleRoute } from './console-api.ts';
import { kindOfMeshPlace } from './mesh/mesh-source.ts';
import type { ControlPlaneTelemetry } from './telemetry.ts';

/** The mesh of a control plane, as the console finds it. */
export interface ConsoleMesh {
  /** Its own API; undefined: this control plane serves none. */
  readonly service: HttpService | undefined;
  /** Of its operators: the console asks on behalf of those who may. */
  readonly token: string;
  /** Its rules where they are files of this machine. */
  readonly files: MeshFiles | undefined;
  /** What `--mesh` was given; undefined: there is none. */
  readonly place: string | undefined;
  readonly scope: MeshScope;
}

/** Opens the pages of the mesh: rules, rollouts, certificates. */
export async function consoleMesh(
  runtime: Runtime,
  { service, token, files, place, scope }: ConsoleMesh,
  telemetry: ControlPlaneTelemetry,
): Promise<{ readonly routes: readonly ConsoleRoute[]; readonly parts: readonly Part[] }> {
  const access = { mesh: service, token };
  const rules =
    files ??
    (place === undefined
      ? undefined
      : servedFiles({ runtime, access, place: withoutSecret(place), kind: kindOfMeshPlace(place) }));
  const store = rules && (await MeshStore.open(runtime, rules, scope));
  const measure = measureBy(runtime, (request) => telemetry.serviceFor(request));
  const desk =
    store &&
    (await RolloutDesk.open(runtime, store, ({ shift, plan }) => measure(shift.name, shift.to, plan.lookMs)));
  const routes = [
    ...meshRoutes({ ...access, runtime, reader: telemetry.reader, store }),
    ...rolloutRoutes({ store, desk, measure }),
    ...certificateRoutes(access),
  ];
  const part: Part = {
    name: 'rollouts',
    start: () => Promise.resolve(),
    drain: async () => desk?.close(),
    stop: async () => desk?.close(),
  };
  return { routes, parts: [part] };
}

/** A place as everybody may see it: of each URL in it (`git:https://…`) without what stands before an `@`. */
export function withoutSecret(place: string): string {
  return place.replaceAll(/(:\/\/)[^/]*@/g, '$1');
}

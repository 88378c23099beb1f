import { HeddleError, type Runtime } from '@heddle/kernel';
import { rehearse, type Rehearsal } from '@heddle/mesh/rehearse';
import { type Finding, loadResources, type ResourceFile } from '@heddle/mesh/resources';
import type { TelemetryReader } from '@heddle/telemetry';
import { asked, type MeshAccess, noMesh } from './api-mesh-ask.ts';
import { recordedCalls } from './api-mesh-calls.ts';
import { digestOf, type MeshChange, type MeshStore } from './api-mesh-store.ts';
import { meshTerms } from './api-mesh-terms.ts';
import type { Asked, ConsoleRoute } from './console-api.ts';
import { shownRules } from './shown-rules.ts';
import { optional, readInput, text, whole } from './console-input.ts';

/** What the pages about a mesh are made from. */
export interface MeshWork extends MeshAccess {
  readonly runtime: Runtime;
  readonly reader: TelemetryReader;
  /** The rules; undefined: there are none. */
  readonly store: MeshStore | undefined;
}

/** What is in force, by the mesh's own API. */
interface InForce {
  readonly rules: {
    readonly version: number;
    readonly findings?: readonly Finding[];
    readonly refused?: { readonly atMs: number; readonly findings: readonly Finding[] };
  };
}

const longestFile = 500_000;
const change = { file: text(200), content: optional(text(longestFile, 0)) } as const;

/** The rules of a mesh: what is in force, who has taken it, a change with findings, diff and dry run, publishing, going back. */
export function meshRoutes(work: MeshWork): ConsoleRoute[] {
  const { store } = work;
  return [
    { method: 'GET', path: '/mesh', role: 'viewer', run: (each) => overview(work, each) },
    { method: 'GET', path: '/mesh/terms', role: 'viewer', run: () => meshTerms },
    {
      method: 'GET',
      path: '/mesh/versions/:id',
      role: 'viewer',
      run: ({ at, who }) => {
        const found = editable(store).versions.find(({ id }) => String(id) === at['id']);
        if (found !== undefined) return { ...found, files: shownTo(who, found.files) };
        throw new HeddleError({
          code: 'not_found',
          reason: 'NO_SUCH_VERSION',
          message: `no version ${at['id']}`,
          sent: false,
        });
      },
    },
    {
      method: 'POST',
      path: '/mesh/check',
      role: 'operator',
      asks: true,
      run: async ({ body }) => {
        const now = await editable(store).read();
        return { findings: editable(store).changed(now, changeIn(readInput(body, change))).findings };
      },
    },
    {
      method: 'POST',
      path: '/mesh/plan',
      role: 'operator',
      asks: true,
      run: async ({ body }) => plan(work, editable(store), changeIn(readInput(body, change))),
    },
    ...changes(work),
  ];
}

function changes({ store }: MeshWork): ConsoleRoute[] {
  const noted = async (asked: Asked, act: () => Promise<{ readonly id: number }>): Promise<object> => {
    const before = editable(store).versions.at(-1)?.id ?? 0;
    const { id } = await act();
    asked.note({ before: { version: before }, after: { version: id } });
    return { id };
  };
  return [
    {
      method: 'POST',
      path: '/mesh/publish',
      role: 'operator',
      run: (asked) => {
        const given = readInput(asked.body, {
          ...change,
          expected: text(64),
          why: optional(text(500, 0)),
        });
        const words = { who: asked.who.name, why: given.why ?? '', expected: given.expected };
        return noted(asked, () => editable(store).publish(changeIn(given), words));
      },
    },
    {
      method: 'POST',
      path: '/mesh/rollback',
      role: 'operator',
      run: (asked) => {
        const given = readInput(asked.body, { to: whole(1, 1e9), why: optional(text(500, 0)) });
        return noted(asked, () =>
          editable(store).rollback(given.to, { who: asked.who.name, why: given.why ?? '' }),
        );
      },
    },
  ];
}

/** No content, or an empty one, removes the file. */
function changeIn({ file, content = '' }: { file: string; content?: string | undefined }): MeshChange {
  return { file, text: content.trim() === '' ? undefined : content };
}

/** Who may not change rules does not see the secrets among them. */
function shownTo({ role }: Asked['who'], files: readonly ResourceFile[]): readonly ResourceFile[] {
  return role === 'viewer' ? shownRules(files) : files;
}

async function overview(work: MeshWork, { call, who }: Pick<Asked, 'call' | 'who'>): Promise<object> {
  const { store, mesh } = work;
  if (mesh === undefined) return { served: false, place: null, files: [], versions: [] };
  const inForce = await asked<InForce>(work, 'GET', '/v1/mesh', undefined, call);
  const files = (await store?.read()) ?? [];
  const { rules } = inForce;
  const named = (findings: readonly Finding[] = []): readonly Finding[] =>
    findings.map((one) => store?.named(one) ?? one);
  return {
    ...inForce,
    served: true,
    place: store?.place ?? null,
    kind: store?.kind ?? null,
    writable: store?.isWritable ?? false,
    files: shownTo(who, files),
    digest: digestOf(files),
    rules: {
      ...rules,
      findings: named(rules.findings),
      ...(rules.refused !== undefined && {
        refused: { ...rules.refused, findings: named(rules.refused.findings) },
      }),
    },
    versions: store?.versions.map(({ files: all, ...rest }) => ({ ...rest, files: all.length })) ?? [],
  };
}

interface Planned {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly before: string;
  readonly rehearsal: Rehearsal | null;
}

/** What a change would do: its findings, and which recorded calls would go elsewhere or be judged otherwise. */
async function plan({ reader, runtime }: MeshWork, store: MeshStore, wanted: MeshChange): Promise<Planned> {
  const now = await store.read();
  const { files, findings } = store.changed(now, wanted);
  const ok = !findings.some(({ severity }) => severity === 'error');
  const before = now.find(({ file }) => file === wanted.file)?.text ?? '';
  if (!ok) return { ok, findings, before, rehearsal: null };
  const { scope } = store;
  const resources = (set: readonly ResourceFile[]): ReturnType<typeof loadResources>['resources'] =>
    loadResources(set, scope).resources;
  const calls = await recordedCalls(reader, runtime.clock, [...now, ...addedTo(now, files)], scope);
  return { ok, findings, before, rehearsal: rehearse(resources(now), resources(files), calls, scope) };
}

function addedTo(now: readonly ResourceFile[], next: readonly ResourceFile[]): readonly ResourceFile[] {
  return next.filter(({ file }) => !now.some((each) => each.file === file));
}

/** Throws `failed_precondition` where there are no rules. */
export function editable(store: MeshStore | undefined): MeshStore {
  if (store !== undefined) return store;
  throw noMesh();
}

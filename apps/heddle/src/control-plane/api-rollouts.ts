import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import { loadResources } from '@heddle/mesh/resources';
import { shiftWeights } from '@heddle/mesh/rollout';
import { emptyBody, Fields, type HttpRequest, type HttpService } from '@heddle/wire';
import { filled, standardQueries } from '../rollout/queries.ts';
import { editable } from './api-mesh.ts';
import type { MeshStore } from './api-mesh-store.ts';
import type { Measure, RolloutDesk } from './api-rollout-desk.ts';
import type { Asked, ConsoleRoute } from './console-api.ts';
import { optional, readInput, type Reader, text, whole } from './console-input.ts';

/** What the page about rollouts is made from. */
export interface RolloutWork {
  readonly store: MeshStore | undefined;
  readonly desk: RolloutDesk | undefined;
  readonly measure: MeasureVersion;
}

/** Measures one version of a service over some time, by its metrics. */
export type MeasureVersion = (service: string, version: string, windowMs: number) => ReturnType<Measure>;

const split = {
  file: text(200),
  name: text(253),
  namespace: optional(text(63)),
  from: text(63),
  to: text(63),
} as const;

const steps: Reader<readonly number[]> = {
  expected: 'a list of 1 to 20 growing whole percentages up to 100',
  needed: true,
  fits: (value): value is readonly number[] =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= 20 &&
    value.every(
      (one: unknown, at) => Number.isInteger(one) && Number(one) > (at === 0 ? 0 : Number(value[at - 1])),
    ) &&
    Number(value.at(-1)) <= 100,
};

const share: Reader<number> = {
  expected: 'a number from 0 to 100',
  needed: true,
  fits: (value): value is number => typeof value === 'number' && value >= 0 && value <= 100,
};

/** Splits by weight between versions, both measured; moving one by hand or by a rollout, and taking it back. */
export function rolloutRoutes(work: RolloutWork): ConsoleRoute[] {
  const { store, desk } = work;
  const running = (): RolloutDesk => {
    editable(store);
    return desk as RolloutDesk;
  };
  return [
    { method: 'GET', path: '/rollouts', role: 'viewer', run: () => overview(work) },
    {
      method: 'POST',
      path: '/rollouts',
      role: 'operator',
      run: async ({ body, who, note }) => {
        const given = readInput(body, {
          ...split,
          steps,
          everyMs: whole(1000, 86_400_000),
          lookMs: whole(1000, 3_600_000),
          maxErrorPercent: share,
          maxLatencyMs: optional(whole(1, 600_000)),
          minCalls: whole(0, 1e6),
          why: optional(text(500, 0)),
        });
        const { file, name, namespace, from, to, steps: wanted, why: _, ...rest } = given;
        const shift = { name, namespace, from, to };
        const plan = { ...rest, steps: wanted, maxLatencyMs: given.maxLatencyMs };
        const begun = await running().start({ file, shift, plan, who: who.name });
        note({ after: { rollout: begun.id } });
        return begun;
      },
    },
    {
      method: 'POST',
      path: '/rollouts/:id/stop',
      role: 'operator',
      run: async ({ at, body, who, note }) => {
        const { why = '' } = readInput(body, { why: optional(text(500, 0)) });
        const ended = await running().stop(
          Number(at['id']),
          why === '' ? `stopped by ${who.name}` : `${who.name}: ${why}`,
        );
        note({ after: { phase: ended.phase } });
        return ended;
      },
    },
    {
      method: 'POST',
      path: '/rollouts/shift',
      role: 'operator',
      run: (asked) => shifted(editable(store), asked),
    },
  ];
}

/** Gives a version a share by hand. */
async function shifted(store: MeshStore, { body, who, note }: Asked): Promise<object> {
  const given = readInput(body, { ...split, percent: whole(0, 100), why: optional(text(500, 0)) });
  const { file, percent, name, namespace, from, to, why = '' } = given;
  const found = (await store.read()).find((each) => each.file === file);
  if (found === undefined) throw noFile(file);
  const changed = shiftWeights(found.text, { name, namespace, from, to }, percent);
  const said = `${name}: ${to} ${percent} %${why === '' ? '' : `, ${why}`}`;
  const { id } = await store.publish({ file, text: changed }, { who: who.name, why: said });
  note({ after: { version: id, percent } });
  return { id };
}

interface Split {
  readonly file: string;
  readonly name: string;
  readonly namespace: string;
  readonly host: string;
  readonly shares: readonly { readonly subset: string; readonly weight: number }[];
}

const windowMs = 300_000;

async function overview({ store, desk, measure }: RolloutWork): Promise<object> {
  if (store === undefined) return { served: false, splits: [], rollouts: [] };
  const { resources } = loadResources(await store.read(), store.scope);
  const splits = resources.flatMap(splitsIn);
  const measured = await Promise.all(
    splits.map(async (one) => ({
      ...one,
      shares: await Promise.all(
        one.shares.map(async (each) => ({
          ...each,
          // What cannot be measured is shown as that, and keeps nothing else from being shown.
          measured: await measure(one.name, each.subset, windowMs).catch(() => null),
        })),
      ),
    })),
  );
  const { isWritable: writable, place } = store;
  return { served: true, writable, place, splits: measured, rollouts: desk?.all ?? [], windowMs };
}

function splitsIn(resource: ReturnType<typeof loadResources>['resources'][number]): Split[] {
  if (resource.type !== 'VirtualService') return [];
  const { file, spec, metadata } = resource;
  const { name, namespace } = metadata;
  const found = (spec.http ?? []).flatMap(({ route = [] }): Split[] => {
    const shares = route.flatMap(({ destination, weight = 0 }) =>
      destination?.subset === undefined ? [] : [{ subset: destination.subset, weight }],
    );
    const host = route[0]?.destination?.host ?? '';
    return shares.length < 2 ? [] : [{ file, name, namespace, host, shares }];
  });
  // A rollout moves every rule of a name that sends to both: they are one split.
  return found.slice(0, 1);
}

/** Asks the metrics that this control plane keeps, in this process. */
export function measureBy(
  runtime: Runtime,
  serviceFor: (request: HttpRequest) => HttpService | undefined,
): MeasureVersion {
  const number = async (query: string): Promise<number | undefined> => {
    const request = {
      method: 'GET',
      scheme: 'http',
      authority: 'localhost',
      path: `/api/v1/query?${new URLSearchParams({ query }).toString()}`,
      fields: new Fields(),
      body: emptyBody,
    } as const;
    const call = Call.root(runtime, runtime.clock.nowMs() + 10_000);
    try {
      const answer = await serviceFor(request)?.(request, call);
      const said = new TextDecoder().decode(await answer?.body.bytes(4_194_304));
      if (answer?.status !== 200) throw unmeasured(said);
      return numberIn(said);
    } finally {
      call.end();
    }
  };
  return async (service, version, window) => {
    // A rate needs two samples: the window is never narrower than a minute.
    const places = { service, version, window: `${Math.max(60, Math.ceil(window / 1000))}s` };
    const calls = (await number(filled(standardQueries.calls, places))) ?? 0;
    const errors = (await number(filled(standardQueries.errors, places))) ?? 0;
    const latencyMs = await number(filled(standardQueries.latency, places));
    return { calls, errorPercent: calls === 0 ? 0 : (errors * 100) / calls, latencyMs };
  };
}

function numberIn(text: string): number | undefined {
  const { data } = JSON.parse(text) as { data?: { result?: { value?: [number, string] }[] } };
  const value = Number(data?.result?.[0]?.value?.[1] ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

function unmeasured(said: string): HeddleError {
  const message = `the metrics cannot be asked: ${said.slice(0, 200)}`;
  return new HeddleError({ code: 'unavailable', reason: 'NO_METRICS', message });
}

function noFile(file: string): HeddleError {
  const message = `the rules have no file ${file.slice(0, 100)}`;
  return new HeddleError({ code: 'not_found', reason: 'NO_SUCH_FILE', message, sent: false });
}

// What clients do under rules: the same for every plane. Each has two backends of its own making.
import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, MeshEndpoint, RouteRule } from '@heddle/mesh/model';
import type { Echo } from './echo.ts';
import type { Ask, ClientPlane, Said } from './plane.ts';
import { endpointAt, forwardTo, orderCluster, orderModel, rule } from './rules.ts';

/** Where a scenario plays. */
export interface ClientStage {
  readonly plane: ClientPlane;
  readonly v1: Echo;
  readonly v2: Echo;
}

/** A scenario; it rejects when the plane does something else. */
export interface ClientScenario {
  readonly name: string;
  /** What a plane must be able to do: it says by this name what it cannot. */
  readonly needs: string;
  run(stage: ClientStage): Promise<void>;
}

/** In the order of the issue they come from. */
export const clientScenarios: readonly ClientScenario[] = [
  { name: 'weights 80/20, changed while calls run', needs: 'weights', run: weights },
  { name: 'a header chooses the version', needs: 'headers', run: headers },
  { name: 'failures are tried again', needs: 'retry', run: retries },
  { name: 'a call that takes too long is given up', needs: 'timeout', run: timeouts },
  { name: 'faults by percentage: refused and delayed', needs: 'fault', run: faults },
  { name: 'a copy of each call goes to another version', needs: 'mirror', run: mirrors },
  { name: 'the nearest locality, and the next when it is ill', needs: 'failover', run: failover },
  { name: 'an instance that only fails is ejected', needs: 'outlier', run: outliers },
  { name: 'the same key always reaches the same instance', needs: 'hash', run: hashing },
];

async function weights({ plane, v1, v2 }: ClientStage): Promise<void> {
  const { first, second, both } = versions(v1, v2);
  const shared = (one: number, two: number): RouteRule =>
    rule({
      kind: 'forward',
      shares: [
        { cluster: first.name, weight: one },
        { cluster: second.name, weight: two },
      ],
    });
  plane.apply(orderModel(both, [shared(80, 20)]));
  await answered(plane);
  const said = await many(plane, 500);
  const share = said.filter(({ from }) => from === 'v1').length / said.length;
  assert.ok(share > 0.7 && share < 0.9, `${share} of the calls reached v1`);
  plane.apply(orderModel(both, [shared(0, 100)]));
  await until(plane, 20, (those) => those.every(({ from }) => from === 'v2'));
}

async function headers({ plane, v1, v2 }: ClientStage): Promise<void> {
  const { first, second, both } = versions(v1, v2);
  const tester = rule(forwardTo(second), {
    name: 'tester',
    matches: [{ headers: [{ name: 'x-user', kind: 'exact', value: 'tester' }] }],
  });
  plane.apply(orderModel(both, [tester, rule(forwardTo(first))]));
  await answered(plane);
  for (const [metadata, from] of [
    [{ 'x-user': 'tester' }, 'v2'],
    [{ 'x-user': 'somebody' }, 'v1'],
    [{}, 'v1'],
  ] as const)
    assert.equal((await plane.say({ metadata })).from, from, JSON.stringify(metadata));
}

async function retries({ plane, v1 }: ClientStage): Promise<void> {
  const cluster = orderCluster('');
  const retry = { retries: 3, attemptTimeoutMs: undefined, on: ['unavailable'], backoffMs: 10 };
  plane.apply(orderModel([[cluster, [endpointAt(v1)]]], [rule(forwardTo(cluster), { retry })]));
  await answered(plane);
  v1.calls = 0;
  v1.conduct.failing = 2;
  const said = await plane.say();
  assert.equal(said.code, status.OK, said.details);
  assert.equal(v1.calls, 3);
}

async function timeouts({ plane, v1 }: ClientStage): Promise<void> {
  const cluster = orderCluster('');
  const limited = rule(forwardTo(cluster), { timeoutMs: 300 });
  plane.apply(orderModel([[cluster, [endpointAt(v1)]]], [limited]));
  await answered(plane);
  v1.conduct.delayMs = 20_000;
  const said = await plane.say({ timeoutMs: 60_000 });
  v1.conduct.delayMs = 0;
  const isGivenUp = said.code === status.DEADLINE_EXCEEDED || said.code === status.UNAVAILABLE;
  assert.ok(isGivenUp, `code ${said.code}: ${said.details}`);
  assert.ok(said.tookMs >= 250 && said.tookMs < 15_000, `after ${said.tookMs} ms`);
}

async function faults({ plane, v1 }: ClientStage): Promise<void> {
  const cluster = orderCluster('');
  const both = [[cluster, [endpointAt(v1)]]] as const;
  const abort = { percent: 30, grpcStatus: status.RESOURCE_EXHAUSTED };
  plane.apply(orderModel(both, [rule(forwardTo(cluster), { fault: { abort } })]));
  await until(plane, 40, (those) => those.some(({ code }) => code === status.RESOURCE_EXHAUSTED));
  const said = await many(plane, 400);
  const refused = said.filter(({ code }) => code === status.RESOURCE_EXHAUSTED).length / said.length;
  assert.ok(refused > 0.19 && refused < 0.41, `${refused} of the calls were refused`);
  assert.ok(said.every(({ code }) => code === status.OK || code === status.RESOURCE_EXHAUSTED));
  const late = { delay: { percent: 100, ms: 200 } };
  plane.apply(orderModel(both, [rule(forwardTo(cluster), { fault: late })]));
  await until(plane, 1, ([one]) => one?.code === status.OK && one.tookMs >= 190);
}

async function mirrors({ plane, v1, v2 }: ClientStage): Promise<void> {
  const { first, second, both } = versions(v1, v2);
  const copied = rule(forwardTo(first), { mirrors: [{ cluster: second.name, percent: 100 }] });
  plane.apply(orderModel(both, [copied]));
  await until(plane, 1, () => v2.calls > 0);
  const [mine, copies] = [v1.calls, v2.calls];
  assert.ok((await many(plane, 20)).every(({ from }) => from === 'v1'));
  await holds(() => v1.calls === mine + 20 && v2.calls === copies + 20, 'twenty copies');
}

async function failover({ plane, v1, v2 }: ClientStage): Promise<void> {
  const cluster = orderCluster('', {
    locality: { kind: 'failover', failover: [] },
    outlier: {
      consecutive5xx: 5,
      intervalMs: 1000,
      baseEjectionMs: 1000,
      maxEjectionPercent: 100,
      minHealthPercent: 0,
    },
  });
  const far = endpointAt(v2, { locality: { region: 'east', zone: 'x', subZone: '' } });
  const rules = [rule(forwardTo(cluster))];
  const near = (health: MeshEndpoint['health']): MeshEndpoint => endpointAt(v1, { health });
  plane.apply(orderModel([[cluster, [near('healthy'), far]]], rules));
  await until(plane, 20, (those) => those.every(({ from }) => from === 'v1'));
  plane.apply(orderModel([[cluster, [near('unhealthy'), far]]], rules));
  await until(plane, 20, (those) => those.every(({ from }) => from === 'v2'));
  plane.apply(orderModel([[cluster, [near('healthy'), far]]], rules));
  await until(plane, 20, (those) => those.every(({ from }) => from === 'v1'));
}

async function outliers({ plane, v1, v2 }: ClientStage): Promise<void> {
  const cluster = orderCluster('', {
    outlier: {
      consecutive5xx: 3,
      intervalMs: 300,
      baseEjectionMs: 60_000,
      maxEjectionPercent: 50,
      minHealthPercent: 0,
    },
  });
  plane.apply(orderModel([[cluster, [endpointAt(v1), endpointAt(v2)]]], [rule(forwardTo(cluster))]));
  await until(plane, 20, (those) => new Set(those.map(({ from }) => from)).size === 2);
  v1.conduct.failing = -1;
  await until(plane, 20, (those) => those.every(({ from }) => from === 'v2'));
  v1.conduct.failing = 0;
}

async function hashing({ plane, v1, v2 }: ClientStage): Promise<void> {
  const cluster = orderCluster('', {
    balance: { policy: 'ring_hash', hash: { by: 'header', name: 'x-key' } },
  });
  plane.apply(orderModel([[cluster, [endpointAt(v1), endpointAt(v2)]]], [rule(forwardTo(cluster))]));
  await answered(plane);
  const seen = new Map<string, string>();
  for (let round = 0; round < 3; round++)
    for (let key = 0; key < 20; key++) {
      const { from } = await plane.say({ metadata: { 'x-key': `user-${key}` } });
      const before = seen.get(`${key}`) ?? from;
      assert.equal(from, before, `key ${key}`);
      seen.set(`${key}`, from);
    }
  assert.equal(new Set(seen.values()).size, 2, 'twenty keys on one of two instances');
}

function versions(
  v1: Echo,
  v2: Echo,
): {
  readonly first: Cluster;
  readonly second: Cluster;
  readonly both: readonly (readonly [Cluster, readonly MeshEndpoint[]])[];
} {
  const [first, second] = [orderCluster('v1'), orderCluster('v2')];
  return {
    first,
    second,
    both: [
      [first, [endpointAt(v1)]],
      [second, [endpointAt(v2)]],
    ],
  };
}

async function many(plane: ClientPlane, count: number, ask?: Ask): Promise<Said[]> {
  const said: Said[] = [];
  for (let n = 0; n < count; n++) said.push(await plane.say(ask));
  return said;
}

/** Until the rules have arrived: a call is answered. */
async function answered(plane: ClientPlane): Promise<void> {
  await until(plane, 1, ([one]) => one?.code === status.OK);
}

async function until(
  plane: ClientPlane,
  count: number,
  isSo: (said: readonly Said[]) => boolean,
): Promise<void> {
  let last: readonly Said[] = [];
  await holds(
    async () => {
      last = await many(plane, count);
      return isSo(last);
    },
    () => `after ${JSON.stringify(last.slice(0, 3))}`,
  );
}

const patienceMs = 60_000;

/** Waits until it is so. */
export async function holds(
  isSo: () => boolean | Promise<boolean>,
  what: string | (() => string),
): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > giveUpAt)
      throw new Error(`not within ${patienceMs} ms: ${typeof what === 'string' ? what : what()}`);
    await delay(20);
  }
}

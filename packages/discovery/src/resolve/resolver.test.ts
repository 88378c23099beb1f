import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EmbeddedRegistry, embeddedRegistry } from '../embedded/embedded-registry.ts';
import { emptyPushGuard } from '../guard/empty-push-guard.ts';
import type { InstanceInit } from '../registry/instance.ts';
import { instance } from '../registry/validate-instance.ts';
import { type VirtualRuntime, virtualRuntime } from '../testing/virtual-runtime.ts';
import type { EndpointSnapshot } from './endpoint-snapshot.ts';
import { resolver } from './resolver.ts';

async function stage(...instances: Partial<InstanceInit>[]): Promise<{
  runtime: VirtualRuntime;
  registry: EmbeddedRegistry;
  put: (more: Partial<InstanceInit>) => Promise<void>;
}> {
  const runtime = virtualRuntime();
  const registry = await runtime.time.run(embeddedRegistry(runtime));
  const put = async (more: Partial<InstanceInit>): Promise<void> => {
    const made = instance({ service: 'users', address: 'h', port: 1, ...more });
    await runtime.time.run(registry.store.put({ instance: made, lease: 'L', ttlMs: 3_600_000 }, true));
    await runtime.time.advance(0);
  };
  for (const more of instances) await put(more);
  return { runtime, registry, put };
}

const idsOf = (snapshot: EndpointSnapshot | undefined): string | undefined =>
  snapshot?.instances.map(({ id }) => id).join();

test('only instances that take calls are shown, and the others are counted by reason', async () => {
  const { runtime, registry } = await stage(
    { id: 'good' },
    { id: 'idle', weight: 0 },
    ...(['starting', 'draining', 'stopping', 'stopped', 'unhealthy', 'maintenance'] as const).map(
      (state) => ({ id: state, state }),
    ),
  );
  const users = resolver('discovery:///users', { runtime, registry });
  await runtime.time.advance(0);
  assert.equal(idsOf(users.current), 'good');
  assert.deepEqual(users.current?.excluded, { subset: 0, state: 6, weight: 1, health: 0, share: 0 });
  users.close();
});

test('a subset needs every condition of the query', async () => {
  const { runtime, registry } = await stage(
    { id: 'a', version: 'v2', zone: 'z1', region: 'eu', tags: ['api', 'blue'] },
    { id: 'b', version: 'v2', zone: 'z2', region: 'eu', tags: ['api'] },
    { id: 'c', version: 'v1', zone: 'z1', region: 'us', tags: ['api'] },
  );
  const found = async (query: string): Promise<string | undefined> => {
    const made = resolver(`discovery:///users${query}`, { runtime, registry });
    await runtime.time.advance(0);
    made.close();
    return idsOf(made.current);
  };
  const expected: readonly (readonly [query: string, ids: string])[] = [
    ['', 'a,b,c'],
    ['?version=v2', 'a,b'],
    ['?version=v2&tag=api', 'a,b'],
    ['?tag=api&tag=blue', 'a'],
    ['?zone=z1', 'a,c'],
    ['?region=us&version=v2', ''],
    ['?version=v', ''],
  ];
  for (const [query, ids] of expected) assert.equal(await found(query), ids, query);
});

test('listeners hear the present and every change, in order, until they leave', async () => {
  const { runtime, registry, put } = await stage();
  const users = resolver('discovery:///users', { runtime, registry });
  assert.equal(users.current, undefined);
  const [early, late]: [string[], string[]] = [[], []];
  const stopEarly = users.subscribe((snapshot) => early.push(`r${snapshot.revision} ${idsOf(snapshot)}`));
  await put({ id: 'a' });
  users.subscribe((snapshot) => late.push(`r${snapshot.revision} ${idsOf(snapshot)}`));
  stopEarly();
  await put({ id: 'b' });
  await put({ id: 'b', state: 'draining' });
  assert.deepEqual(early, ['r0 ', 'r1 a']);
  assert.deepEqual(late, ['r1 a', 'r2 a,b', 'r3 a']);
  users.close();
  await put({ id: 'c' });
  assert.deepEqual([late.length, idsOf(users.current)], [3, 'a']);
  assert.equal(registry.store.status.watches, 0);
});

test('an instance that did not change is the same object, so that a balancer keeps what it knows of it', async () => {
  const { runtime, registry, put } = await stage({ id: 'a' });
  const users = resolver('discovery:///users', { runtime, registry });
  await runtime.time.advance(0);
  const before = users.current?.instances[0];
  await put({ id: 'b' });
  assert.notEqual(before, undefined);
  assert.equal(users.current?.instances[0], before);
  users.close();
});

test('critical instances are left out; with too few others all are used, and it is said so', async () => {
  const { runtime, registry, put } = await stage(
    { id: 'a', health: 'passing' },
    { id: 'b', health: 'unknown' },
    { id: 'c', health: 'warning' },
    { id: 'd', health: 'critical' },
  );
  const panics: boolean[] = [];
  const onPanic = (panic: boolean): void => void panics.push(panic);
  const users = resolver('discovery:///users', { runtime, registry, onPanic });
  const never = resolver('discovery:///users', { runtime, registry, panicShare: 0 });
  const seen = (): unknown => [idsOf(users.current), users.current?.panic, users.current?.excluded.health];
  await runtime.time.advance(0);
  assert.deepEqual(seen(), ['a,b,c', false, 1]);
  await put({ id: 'c', health: 'critical' });
  assert.deepEqual(seen(), ['a,b', false, 2], 'half of them is enough');
  await put({ id: 'b', health: 'critical' });
  assert.deepEqual(seen(), ['a,b,c,d', true, 0]);
  assert.equal(idsOf(never.current), 'a');
  await put({ id: 'a', health: 'critical' });
  assert.deepEqual([idsOf(never.current), never.current?.excluded.health], ['', 4]);
  await put({ id: 'a', health: 'passing' });
  await put({ id: 'b', health: 'passing' });
  assert.deepEqual(
    [seen(), panics],
    [
      ['a,b', false, 2],
      [true, false],
    ],
  );
  const told = runtime.lines.filter((line) => line.includes('healthy'));
  assert.equal(told.length, 2, told.join());
  users.close();
  never.close();
});

test('a share of the fleet is taken after health, and the rest counted', async () => {
  const made = Array.from({ length: 12 }, (_, at) => ({ id: `i${at}` }));
  const { runtime, registry, put } = await stage(...made);
  const users = resolver('discovery:///users', { runtime, registry, subsetting: { size: 4, client: 3 } });
  await runtime.time.advance(0);
  const before = users.current?.instances.map(({ id }) => id) ?? [];
  assert.deepEqual([before.length, users.current?.excluded.share], [4, 8]);
  await put({ id: before[0] ?? '', health: 'critical' });
  const after = users.current?.instances.map(({ id }) => id) ?? [];
  assert.deepEqual([after.length, users.current?.excluded.share, users.current?.excluded.health], [4, 7, 1]);
  assert.ok(!after.includes(before[0] ?? ''));
  users.close();
});

test('what a guard holds back is told with the endpoints', async () => {
  const { runtime, registry } = await stage({ id: 'a' }, { id: 'b' });
  const guarded = emptyPushGuard(registry, { runtime, answers: async () => true, graceMs: 10_000 });
  const users = resolver('discovery:///users', { runtime, registry: guarded });
  await runtime.time.advance(0);
  assert.equal(users.current?.heldBack, 0);
  await Promise.all(['a', 'b'].map((id) => registry.store.remove('users', id)));
  await runtime.time.advance(100);
  assert.deepEqual([idsOf(users.current), users.current?.heldBack], ['a,b', 2]);
  await runtime.time.advance(10_000);
  assert.deepEqual([idsOf(users.current), users.current?.heldBack], ['', 0]);
  users.close();
});

test('bad options are refused before anything is watched', async () => {
  const { runtime, registry } = await stage();
  for (const panicShare of [-0.1, 1.1, Number.NaN]) {
    assert.throws(() => resolver('discovery:///users', { runtime, registry, panicShare }), {
      reason: 'BAD_PANIC_SHARE',
    });
  }
  const subsetting = { size: 0, client: 0 };
  assert.throws(() => resolver('discovery:///users', { runtime, registry, subsetting }), {
    reason: 'BAD_SUBSETTING',
  });
  assert.equal(registry.store.status.watches, 0);
});

test('a static target is there at once, each address once, and never changes', () => {
  const runtime = virtualRuntime();
  const fixed = resolver('static:///10.0.0.1:80,[::1]:81,10.0.0.1:80', { runtime });
  const heard: EndpointSnapshot[] = [];
  fixed.subscribe((snapshot) => heard.push(snapshot))();
  assert.deepEqual(
    fixed.current?.instances.map(({ address, port, weight }) => [address, port, weight]),
    [
      ['10.0.0.1', 80, 100],
      ['::1', 81, 100],
    ],
  );
  assert.deepEqual([heard.length, heard[0], fixed.current?.source], [1, fixed.current, 'static']);
});

test('a registry that is closed under a resolver leaves it its endpoints and a problem', async () => {
  const { runtime, registry } = await stage({ id: 'a' });
  const users = resolver('discovery:///users', { runtime, registry });
  await runtime.time.advance(0);
  assert.deepEqual([users.problem], [undefined]);
  await runtime.time.run(registry.close());
  await runtime.time.advance(0);
  assert.deepEqual([users.problem?.reason, idsOf(users.current)], ['REGISTRY_CLOSED', 'a']);
});

test('a discovery target needs a registry, and a good text', () => {
  const runtime = virtualRuntime();
  assert.throws(() => resolver('discovery:///users', { runtime }), { reason: 'NO_REGISTRY' });
  assert.throws(() => resolver('discovery:///', { runtime }), { reason: 'BAD_TARGET' });
});

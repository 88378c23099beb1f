import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeddleError } from '@heddle/kernel';
import { withParts } from '../guard/with-parts.ts';
import { comparePositions, type Snapshot } from '../registry/snapshot.ts';
import { instance } from '../registry/validate-instance.ts';
import type { Registry } from '../registry/registry.ts';
import { Fleet } from '../testing/fleet.ts';
import { user } from '../testing/registry-cases.ts';
import { recordWatch } from '../testing/watch-record.ts';
import { merge, type MergeOptions } from './merge.ts';
import { mergedSnapshot } from './merged-snapshot.ts';

async function twoRegistries(more: Partial<MergeOptions> = {}): Promise<{
  fleet: Fleet;
  old: Registry;
  young: Registry;
  both: Registry;
}> {
  const fleet = new Fleet();
  await fleet.serve('old');
  await fleet.serve('young');
  const { on } = fleet.client('a');
  const members = ['old', 'young'].map((host) => fleet.clientOn(on, [host]).registry);
  const [old, young] = ['old', 'young'].map((host) => fleet.client(`writer of ${host}`, [host]).registry);
  assert.ok(old !== undefined && young !== undefined);
  return { fleet, old, young, both: merge(members, { runtime: on, ...more }) };
}

test('what either knows is seen; what both know is seen once, as the first says it', async () => {
  const { fleet, old, young, both } = await twoRegistries();
  await fleet.time.run(old.register(user('a', { weight: 1, address: 'a.old' })));
  await fleet.time.run(young.register(user('a', { weight: 2, address: 'a.young' })));
  await fleet.time.run(old.register(user('b', { address: 'b' })));
  await fleet.time.run(young.register(user('c', { address: 'c' })));
  const { instances } = await fleet.time.run(both.instances('users'));
  assert.deepEqual(
    instances.map(({ id, weight }) => `${id}=${weight}`),
    ['a=1', 'b=100', 'c=100'],
  );
  await fleet.time.run(young.register(user('d', { service: 'orders' })));
  assert.deepEqual(await fleet.time.run(both.services()), ['orders', 'users']);
});

test('with precedence "last" the second one counts', async () => {
  const { fleet, old, young, both } = await twoRegistries({ precedence: 'last' });
  await fleet.time.run(old.register(user('a', { weight: 1 })));
  await fleet.time.run(young.register(user('a', { weight: 2 })));
  const { instances } = await fleet.time.run(both.instances('users'));
  assert.deepEqual(
    instances.map(({ weight }) => weight),
    [2],
  );
});

test('one address under two ids is one instance', async () => {
  const { fleet, old, young, both } = await twoRegistries();
  await fleet.time.run(old.register(user('users@10.0.0.1:8080')));
  await fleet.time.run(young.register(user('pod-7')));
  await fleet.time.run(young.register(user('pod-8', { port: 8081 })));
  const { instances } = await fleet.time.run(both.instances('users'));
  assert.deepEqual(
    instances.map(({ id }) => id),
    ['pod-8', 'users@10.0.0.1:8080'],
  );
});

test('a migration: clients of either registry and of both see every instance all the way', async () => {
  const { fleet, old, young, both } = await twoRegistries();
  const before = await fleet.time.run(old.register(user('a', { address: 'a' })));
  const watch = recordWatch(both, 'users');
  await fleet.time.runUntil(() => watch.ids === 'a', 2000);
  const held = await fleet.time.run(both.register(user('b', { address: 'b' })));
  assert.equal(held.registered && before.registered, true);
  for (const registry of [old, young]) {
    const { instances } = await fleet.time.run(registry.instances('users'));
    assert.ok(instances.some(({ id }) => id === 'b'));
  }
  // The instance moves: first it is in both, then only in the young one.
  await fleet.time.run(young.register(user('a', { address: 'a' })));
  await fleet.time.run(old.deregister('users', 'a'));
  await fleet.time.advance(1000);
  assert.ok(watch.snapshots.slice(1).every(({ instances }) => instances.some(({ id }) => id === 'a')));
  await fleet.time.run(both.deregister('users', 'b'));
  await fleet.time.runUntil(() => watch.ids === 'a', 2000);
  await fleet.time.run(watch.stop());
});

test('a registry that goes down takes nothing away, and its part is fresh again when it is back', async () => {
  const { fleet, old, young, both } = await twoRegistries();
  await fleet.time.run(old.register(user('a', { address: 'a' })));
  await fleet.time.run(young.register(user('b', { address: 'b' })));
  const watch = recordWatch(both, 'users');
  await fleet.time.runUntil(() => watch.ids === 'a,b' && watch.latest?.stale === false, 2000);
  fleet.cut('a', 'old');
  await fleet.time.runUntil(() => watch.latest?.stale === true, 60_000);
  assert.equal(watch.ids, 'a,b');
  await fleet.time.run(young.register(user('c', { address: 'c' })));
  await fleet.time.runUntil(() => watch.ids === 'a,b,c', 2000);
  const held = await fleet.time.run(both.register(user('d', { address: 'd' })), 7000);
  assert.equal(held.registered, true, 'one registry has it');
  assert.notEqual(held.problem, undefined, 'and the other has not');
  const partial = await fleet.time.run(both.instances('users'), 7000);
  assert.deepEqual([partial.stale, partial.instances.map(({ id }) => id).join()], [true, 'b,c,d']);
  fleet.cut('a', 'old', false);
  await fleet.time.runUntil(() => watch.latest?.stale === false && held.problem === undefined, 20_000);
  assert.equal(watch.ids, 'a,b,c,d');
  await fleet.time.run(watch.stop());
});

test('a registry that is down at the start is waited for a second, and joins when it comes', async () => {
  const { fleet, old, young, both } = await twoRegistries();
  await fleet.time.run(old.register(user('a', { address: 'a' })));
  await fleet.time.run(young.register(user('b', { address: 'b' })));
  fleet.cut('a', 'old');
  const watch = recordWatch(both, 'users');
  await fleet.time.advance(900);
  assert.equal(watch.snapshots.length, 0);
  await fleet.time.advance(200);
  assert.deepEqual([watch.ids, watch.latest?.stale], ['b', true]);
  fleet.cut('a', 'old', false);
  await fleet.time.runUntil(() => watch.ids === 'a,b' && watch.latest?.stale === false, 20_000);
  await fleet.time.run(watch.stop());
});

test('a gauge moves when the last registry loses it and when the first has it again', async () => {
  const { fleet, both } = await twoRegistries();
  const held = await fleet.time.run(both.register(user('a')));
  const flips: boolean[] = [];
  held.subscribe((registered) => flips.push(registered));
  fleet.cut('a', 'old');
  await fleet.time.advance(20_000);
  assert.deepEqual([held.registered, flips], [true, []]);
  fleet.cut('a', 'young');
  await fleet.time.advance(20_000);
  assert.deepEqual(flips, [false]);
  fleet.cut('a', 'old', false);
  await fleet.time.runUntil(() => held.registered, 10_000);
  assert.deepEqual(flips, [false, true]);
});

test('one that cannot register is left out of it; if none can, that is the answer', async () => {
  const { fleet, old, young } = await twoRegistries();
  const { on } = fleet.client('b');
  const unsupported = new HeddleError({ code: 'unimplemented', reason: 'UNSUPPORTED', message: 'cannot' });
  const readOnly = (registry: Registry): Registry => ({
    ...withParts(registry, {}),
    register: () => Promise.reject(unsupported),
    deregister: () => Promise.reject(unsupported),
  });
  const both = merge([readOnly(old), young], { runtime: on });
  const held = await fleet.time.run(both.register(user('a')));
  assert.deepEqual([held.registered, held.problem], [true, undefined]);
  await fleet.time.run(both.deregister('users', 'a'));
  const neither = merge([readOnly(old), readOnly(young)], { runtime: on });
  await assert.rejects(fleet.time.run(neither.register(user('a'))), { reason: 'UNSUPPORTED' });
});

test('no registry, and one registry twice, are refused', async () => {
  const { fleet, old } = await twoRegistries();
  const { on } = fleet.client('b');
  assert.throws(() => merge([], { runtime: on }), { reason: 'NO_REGISTRY' });
  assert.throws(() => merge([old, old], { runtime: on }), { reason: 'SAME_REGISTRY' });
});

test('two clients of one registry are found out, behind guards and within a merge too', async () => {
  const { fleet, both } = await twoRegistries();
  const { on } = fleet.client('b');
  const client = (...servers: string[]): Registry => fleet.clientOn(on, servers).registry;
  const guarded = withParts(client('old', 'spare'), {});
  for (const pair of [
    [client('old'), guarded],
    [both, client('young')],
  ]) {
    const message = /two clients of one: embedded (old|young):80/;
    assert.throws(() => merge(pair, { runtime: on }), { reason: 'SAME_REGISTRY', message });
  }
});

test('property: whatever the parts do, the whole loses nobody, doubles nobody and never goes back', () => {
  const step = fc.record({
    part: fc.nat(2),
    restart: fc.boolean(),
    ids: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e')),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const parts: (Snapshot | undefined)[] = [undefined, undefined, undefined];
      let before: Snapshot | undefined;
      for (const { part, restart, ids } of steps) {
        const last = parts[part] ?? { term: 1, revision: 0 };
        const instances = ids
          .toSorted()
          .map((id) => instance({ id, service: 's', address: `h${id}`, port: 80, zone: `z${part}` }));
        const position = restart
          ? { term: last.term + 1, revision: 0 }
          : { term: last.term, revision: last.revision + 1 };
        const more = { ageMs: part, stale: false, source: 'registry', heldBack: 0 } as const;
        parts[part] = { service: 's', ...position, ...more, instances };
        const whole = mergedSnapshot('s', parts);
        const all = parts.flatMap((each) => each?.instances.map(({ id }) => id) ?? []);
        assert.deepEqual(
          whole.instances.map(({ id }) => id),
          [...new Set(all)].toSorted(),
        );
        for (const { id, zone } of whole.instances) {
          const first = parts.findIndex((each) => each?.instances.some((known) => known.id === id));
          assert.equal(zone, `z${first}`);
        }
        if (before !== undefined) assert.ok(comparePositions(whole, before) > 0);
        assert.equal(whole.stale, parts.includes(undefined));
        before = whole;
      }
    }),
  );
});

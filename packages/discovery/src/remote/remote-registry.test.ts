import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceInit } from '../registry/instance.ts';
import { instance } from '../registry/validate-instance.ts';
import { Fleet } from '../testing/fleet.ts';
import { recordWatch } from '../testing/watch-record.ts';

const user = (id: string, more: Partial<InstanceInit> = {}): InstanceInit => {
  return { service: 'users', address: '10.0.0.1', port: 80, id, ...more };
};

test('a half-open connection is noticed by its silence, and what happened meanwhile is known after healing', async () => {
  const fleet = new Fleet();
  const server = await fleet.serve('registry');
  const { registry } = fleet.client('a');
  const watch = recordWatch(registry, 'users');
  const writer = fleet.client('b');
  await fleet.time.run(writer.registry.register(user('x')));
  await fleet.time.runUntil(() => watch.ids === 'x', 2000);
  fleet.cut('a', 'registry');
  await fleet.time.run(writer.registry.register(user('y')));
  await fleet.time.advance(14_000);
  assert.equal(watch.latest?.stale, false, 'silence is not long enough yet');
  await fleet.time.runUntil(() => watch.latest?.stale === true, 30_000);
  assert.equal(watch.ids, 'x');
  assert.ok((watch.latest?.ageMs ?? 0) > 15_000);
  assert.equal(registry.problem?.code, 'unavailable');
  await fleet.time.run(writer.registry.deregister('users', 'x'));
  fleet.cut('a', 'registry', false);
  await fleet.time.runUntil(() => watch.ids === 'y' && watch.latest?.stale === false, 20_000);
  assert.equal(registry.problem, undefined);
  assert.equal(server.registry.store.status.instances, 1);
  await fleet.time.run(watch.stop());
});

test('a process that was paused longer than its lease takes it for lost, and registers anew', async () => {
  const fleet = new Fleet();
  const server = await fleet.serve('registry');
  const { registry, on } = fleet.client('a');
  const held = await fleet.time.run(registry.register(user('x')));
  const heard: boolean[] = [];
  held.subscribe((registered) => heard.push(registered));
  on.process.pause();
  await fleet.time.advance(60_000);
  assert.equal(server.registry.store.status.instances, 0);
  assert.equal(held.registered, false, 'the gauge needs no timer to be right');
  on.process.resume();
  await fleet.time.runUntil(() => held.registered, 2000);
  assert.equal(server.registry.store.status.instances, 1);
  assert.deepEqual(heard, [false, true]);
});

test('a sleeper that wakes does not take its id back from the process that replaced it', async () => {
  const fleet = new Fleet();
  await fleet.serve('registry');
  const sleeper = fleet.client('a');
  const held = await fleet.time.run(sleeper.registry.register(user('x', { address: '10.0.0.1' })));
  sleeper.on.process.pause();
  const heir = fleet.client('b');
  await fleet.time.run(heir.registry.register(user('x', { address: '10.0.0.2' })));
  await fleet.time.advance(60_000);
  sleeper.on.process.resume();
  await fleet.time.advance(30_000);
  assert.deepEqual([held.registered, held.problem?.reason], [false, 'LEASE_SUPERSEDED']);
  const { instances } = await fleet.time.run(heir.registry.instances('users'));
  assert.deepEqual(
    instances.map(({ address }) => address),
    ['10.0.0.2'],
  );
  await fleet.time.run(heir.registry.close());
  await fleet.time.runUntil(() => held.registered, 30_000);
});

test('a watcher that stood still for a minute, as with a blocked event loop, wakes to the newest state', async () => {
  const fleet = new Fleet();
  await fleet.serve('registry');
  const writer = fleet.client('b');
  const { registry, on } = fleet.client('a');
  const watch = recordWatch(registry, 'users');
  await fleet.time.run(writer.registry.register(user('x')));
  await fleet.time.runUntil(() => watch.ids === 'x', 2000);
  on.process.pause();
  for (let weight = 1; weight <= 200; weight++)
    await fleet.time.run(writer.registry.register(user('y', { weight })));
  await fleet.time.run(writer.registry.deregister('users', 'x'));
  await fleet.time.advance(60_000);
  on.process.resume();
  await fleet.time.runUntil(() => watch.ids === 'y' && watch.latest?.stale === false, 5000);
  assert.equal(watch.latest?.instances[0]?.weight, 200);
  await fleet.time.run(watch.stop());
});

test('the time of day jumps by an hour on every host, and nobody notices', async () => {
  const fleet = new Fleet();
  const server = await fleet.serve('registry');
  const client = fleet.client('a');
  const held = await fleet.time.run(client.registry.register(user('x')));
  const watch = recordWatch(client.registry, 'users');
  for (const byMs of [3_600_000, -7_200_000]) {
    server.on.process.jumpWall(byMs);
    client.on.process.jumpWall(byMs);
    await fleet.time.advance(30_000);
    assert.deepEqual([held.registered, watch.ids, watch.snapshots.length], [true, 'x', 1]);
  }
  await fleet.time.run(watch.stop());
});

test('answers are lost one way: the gauge falls, and rises when they come again', async () => {
  const fleet = new Fleet();
  const server = await fleet.serve('registry');
  const { registry } = fleet.client('a');
  const held = await fleet.time.run(registry.register(user('x')));
  fleet.block('registry', 'a');
  await fleet.time.runUntil(() => !held.registered, 11_000);
  assert.match(held.problem?.reason ?? '', /^(REGISTRY|CONNECT)_TIMEOUT$/);
  fleet.block('registry', 'a', false);
  await fleet.time.runUntil(() => held.registered, 10_000);
  assert.equal(server.registry.store.status.instances, 1);
});

test('a black hole at the start: registering resolves within its deadline and goes on trying', async () => {
  const fleet = new Fleet();
  await fleet.serve('registry');
  fleet.cut('a', 'registry');
  const { registry, on } = fleet.client('a');
  const held = await fleet.time.run(registry.register(user('x')), 6500);
  assert.equal(held.registered, false);
  await assert.rejects(fleet.time.run(registry.instances('users'), 6500), { code: 'unavailable' });
  await fleet.time.advance(600_000);
  const told = on.lines.filter((line) => line.includes('in trouble')).length;
  assert.ok(told >= 1 && told < 5, `an outage of ten minutes took ${told} lines`);
  fleet.cut('a', 'registry', false);
  await fleet.time.runUntil(() => held.registered, 10_000);
});

test('several servers: the next one is asked when the first is gone', async () => {
  const fleet = new Fleet();
  const first = await fleet.serve('one');
  await fleet.time.advance(10);
  await fleet.serve('two');
  const { registry } = fleet.client('a', ['one', 'two']);
  const held = await fleet.time.run(registry.register(user('x')));
  const watch = recordWatch(registry, 'users');
  await fleet.time.runUntil(() => watch.ids === 'x', 2000);
  first.on.process.end('killed');
  await fleet.time.runUntil(
    () => watch.snapshots.some(({ term }) => term > first.registry.store.position.term),
    20_000,
  );
  await fleet.time.runUntil(() => watch.ids === 'x' && held.registered && !watch.latest?.stale, 20_000);
  await fleet.time.run(watch.stop());
});

test('a server that is behind is not believed, however often it answers', async () => {
  const fleet = new Fleet();
  await fleet.serve('old');
  await fleet.time.advance(1000);
  const young = await fleet.serve('young');
  const { registry } = fleet.client('a', ['young', 'old']);
  await fleet.time.run(registry.register(user('x')));
  const watch = recordWatch(registry, 'users');
  await fleet.time.runUntil(() => watch.ids === 'x', 2000);
  young.on.process.end('killed');
  await fleet.time.advance(60_000);
  assert.deepEqual([watch.ids, watch.latest?.stale], ['x', true]);
  await assert.rejects(fleet.time.run(registry.instances('users')), { code: 'unavailable' });
  await fleet.serve('young');
  await fleet.time.runUntil(() => watch.latest?.stale === false && watch.ids === 'x', 20_000);
  await fleet.time.run(watch.stop());
});

test('500 clients come back to a wiped server spread over time, and none stays lost', async () => {
  const fleet = new Fleet();
  const server = await fleet.serve('registry');
  const clients = Array.from({ length: 500 }, (_, at) => fleet.client(`c${at}`));
  const held = await fleet.time.run(
    Promise.all(clients.map(({ registry }, at) => registry.register(user(`i${at}`)))),
  );
  server.on.process.end('killed');
  fleet.wipe('registry');
  await fleet.time.advance(1000);
  const again = await fleet.serve('registry');
  const arrivals: number[] = [];
  again.registry.store.changed.listen('users', () => arrivals.push(fleet.time.clock.nowMs()));
  await fleet.time.runUntil(() => again.registry.store.status.instances === 500, 10_000);
  await fleet.time.runUntil(() => held.every(({ registered }) => registered), 10_000);
  const perTenth = new Map<number, number>();
  for (const atMs of arrivals)
    perTenth.set(Math.floor(atMs / 100), (perTenth.get(Math.floor(atMs / 100)) ?? 0) + 1);
  assert.ok(
    Math.max(...perTenth.values()) < 100,
    `at most a fifth in a tenth of a second: ${[...perTenth.values()].join()}`,
  );
});

test('power fails while registering, again and again: what was confirmed is there after the restart', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const fleet = new Fleet(seed);
    let server = await fleet.serve('registry');
    const confirmed = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const put = async (id: string): Promise<void> => {
        await server.registry.store.put({ instance: instance(user(id)), lease: 'L', ttlMs: 60_000 }, true);
        confirmed.add(id);
      };
      for (let at = 0; at < 20; at++) void put(`r${round}-${at}`);
      await fleet.time.advance(seed * 0.05);
      for (let at = 20; at < 40; at++) void put(`r${round}-${at}`);
      await fleet.time.advance(seed * 0.02);
      server.on.process.end('power');
      await fleet.time.advance(10);
      server = await fleet.serve('registry');
      const there = new Set((await server.registry.instances('users')).instances.map(({ id }) => id));
      for (const id of confirmed) assert.ok(there.has(id), `seed ${seed}: ${id} was confirmed and is lost`);
    }
    assert.ok(confirmed.size > 0 || seed < 5, `seed ${seed} confirmed nothing: the test proves nothing`);
  }
});

test('nothing is left open after close', async () => {
  const fleet = new Fleet();
  const server = await fleet.serve('registry');
  const { registry } = fleet.client('a');
  await fleet.time.run(registry.register(user('x')));
  const watch = recordWatch(registry, 'users');
  await fleet.time.runUntil(() => watch.ids === 'x', 2000);
  await fleet.time.run(registry.close());
  await fleet.time.advance(100);
  await watch.stop();
  assert.equal(fleet.net.openConnections('a'), 0);
  assert.equal(server.registry.store.status.watches, 0);
  assert.equal(server.registry.store.status.instances, 0);
});

test('250 watches take three connections and not 250, and all hear of their changes', async () => {
  const fleet = new Fleet();
  const server = await fleet.serve('registry');
  const { registry } = fleet.client('a');
  const names = Array.from({ length: 250 }, (_, at) => `s${at}`);
  const watches = names.map((name) => recordWatch(registry, name));
  await fleet.time.runUntil(() => watches.every(({ ids }) => ids === ''), 5000);
  assert.equal(server.registry.store.status.watches, 250);
  assert.ok(fleet.net.openConnections('a') <= 3, `${fleet.net.openConnections('a')} connections`);
  for (const service of names) await fleet.time.run(registry.register(user('x', { service })));
  await fleet.time.runUntil(() => watches.every(({ ids }) => ids === 'x'), 5000);
  for (const watch of watches) await fleet.time.run(watch.stop());
});

test('a connection that dies without a word is replaced after one silence, and the watch goes on', async () => {
  const fleet = new Fleet();
  await fleet.serve('registry');
  const { registry } = fleet.client('a');
  const held = await fleet.time.run(registry.register(user('x')));
  const watch = recordWatch(registry, 'users');
  await fleet.time.runUntil(() => watch.ids === 'x', 2000);
  // Longer than everything that waits on the connection; what was sent meanwhile is lost for good.
  fleet.cut('a', 'registry');
  await fleet.time.advance(60_000);
  fleet.cut('a', 'registry', false);
  await fleet.time.runUntil(() => held.registered && watch.latest?.stale === false, 12_000);
  await fleet.time.run(watch.stop());
});

test('deregistering at a black hole fails before an app gives up waiting for it', async () => {
  const fleet = new Fleet();
  await fleet.serve('registry');
  const { registry, on } = fleet.client('a');
  const held = await fleet.time.run(registry.register(user('x')));
  fleet.cut('a', 'registry');
  // A renewal is on its way, and will not be answered.
  await fleet.time.advance(4000);
  const startedMs = on.clock.nowMs();
  await assert.rejects(fleet.time.run(registry.deregister('users', 'x')), { reason: 'REGISTRY_TIMEOUT' });
  assert.ok(on.clock.nowMs() - startedMs < 5000, `it took ${on.clock.nowMs() - startedMs} ms`);
  assert.equal(held.registered, false);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Registry } from '../registry/registry.ts';
import { instance } from '../registry/validate-instance.ts';
import { Fleet, type FleetProcess } from '../testing/fleet.ts';
import { recordWatch } from '../testing/watch-record.ts';
import { lastKnownGood } from './last-known-good.ts';

/** A client on host `client`, whose disk outlives it. */
function client(fleet: Fleet): { registry: Registry; on: FleetProcess } {
  const { registry, on } = fleet.client('client');
  return { registry: lastKnownGood(registry, { runtime: on }), on };
}

async function put(
  fleet: Fleet,
  server: Awaited<ReturnType<Fleet['serve']>>,
  ...ids: string[]
): Promise<void> {
  const made = ids.map((id) => instance({ service: 'users', id, address: 'h', port: 1 }));
  const puts = made.map((one) =>
    server.registry.store.put({ instance: one, lease: 'L', ttlMs: 3_600_000 }, true),
  );
  await fleet.time.run(Promise.all(puts));
}

/** A client has seen `a` and `b`; then it and the registry are gone, and ten minutes pass. */
async function afterAnOutage(): Promise<Fleet> {
  const fleet = new Fleet();
  const server = await fleet.serve('registry');
  await put(fleet, server, 'a', 'b');
  const before = client(fleet);
  const watch = recordWatch(before.registry, 'users');
  await fleet.time.runUntil(() => watch.ids === 'a,b', 2000);
  await fleet.time.advance(2000);
  before.on.process.end('power');
  server.on.process.end('power');
  await fleet.time.advance(600_000);
  return fleet;
}

test('a process that starts during an outage serves from disk, says so, and goes on when the registry is back', async () => {
  const fleet = await afterAnOutage();
  const { registry, on } = client(fleet);
  const watch = recordWatch(registry, 'users');
  await fleet.time.advance(900);
  assert.deepEqual([watch.latest], [undefined], 'the registry has a second to answer');
  await fleet.time.advance(200);
  assert.deepEqual([watch.ids, watch.latest?.stale, watch.latest?.source], ['a,b', true, 'disk']);
  const ageMs = watch.latest?.ageMs ?? 0;
  assert.ok(ageMs > 600_000 && ageMs < 610_000, `the age is that of the snapshot: ${ageMs}`);
  assert.ok(on.lines.some((line) => line.includes('last known snapshot')));
  const asked = await fleet.time.run(registry.instances('users'));
  assert.deepEqual([asked.instances.length, asked.stale, asked.source], [2, true, 'disk']);
  const server = await fleet.serve('registry');
  await put(fleet, server, 'c');
  await fleet.time.runUntil(() => watch.ids === 'a,b,c' && watch.latest?.source === 'registry', 20_000);
  assert.equal(watch.latest?.stale, false);
  await fleet.time.run(watch.stop());
});

test('a registry that answers in time is believed alone', async () => {
  const fleet = await afterAnOutage();
  const server = await fleet.serve('registry');
  await fleet.time.run(server.registry.store.remove('users', 'a'));
  const watch = recordWatch(client(fleet).registry, 'users');
  await fleet.time.advance(5_000);
  assert.deepEqual(
    watch.snapshots.map(({ source, instances }) => `${source} ${instances.length}`),
    ['registry 1'],
  );
  await fleet.time.run(watch.stop());
});

test('without anything stored, the watch waits and asking fails as it would', async () => {
  const fleet = await afterAnOutage();
  const { registry } = client(fleet);
  const watch = recordWatch(registry, 'orders');
  await fleet.time.advance(10_000);
  assert.deepEqual([watch.latest], [undefined]);
  await assert.rejects(fleet.time.run(registry.instances('orders')), { code: 'unavailable' });
  await fleet.time.run(watch.stop());
});

test('an empty snapshot does not replace what is stored', async () => {
  const fleet = await afterAnOutage();
  fleet.wipe('registry');
  const server = await fleet.serve('registry');
  const seen = client(fleet);
  const watch = recordWatch(seen.registry, 'users');
  await fleet.time.runUntil(() => watch.ids === '', 5_000);
  await fleet.time.advance(5_000);
  seen.on.process.end('killed');
  server.on.process.end('killed');
  const again = recordWatch(client(fleet).registry, 'users');
  await fleet.time.runUntil(() => again.ids === 'a,b', 5_000);
  await fleet.time.run(again.stop());
});

test('a damaged file, or one of another service, is as none, and the log says so', async () => {
  for (const damage of ['flip', 'other'] as const) {
    const fleet = await afterAnOutage();
    const { registry, on } = client(fleet);
    const bytes = (await fleet.time.run(on.disk.read('last-known-good/users'))) ?? new Uint8Array(0);
    if (damage === 'flip') bytes[40] = (bytes[40] ?? 0) ^ 1;
    const service = damage === 'flip' ? 'users' : 'Users';
    await fleet.time.run(on.disk.replace(`last-known-good/${service}`, bytes));
    const watch = recordWatch(registry, service);
    await fleet.time.advance(5_000);
    assert.deepEqual([watch.latest], [undefined]);
    assert.ok(on.lines.some((line) => line.includes('damaged')));
    await fleet.time.run(watch.stop());
  }
});

test('the newest snapshot is on disk after close, however fast changes came', async () => {
  const fleet = new Fleet();
  const server = await fleet.serve('registry');
  const first = client(fleet);
  const watch = recordWatch(first.registry, 'users');
  for (const id of ['a', 'b', 'c', 'd']) {
    await put(fleet, server, id);
    await fleet.time.advance(50);
  }
  await fleet.time.runUntil(() => watch.ids === 'a,b,c,d', 2000);
  await fleet.time.run(first.registry.close());
  server.on.process.end('killed');
  const again = recordWatch(client(fleet).registry, 'users');
  await fleet.time.runUntil(() => again.ids === 'a,b,c,d', 5_000);
  await fleet.time.run(again.stop());
});

test('a disk that is full costs the protection and nothing else', async () => {
  const fleet = new Fleet();
  const server = await fleet.serve('registry');
  await put(fleet, server, 'a');
  fleet.disk('client').capacityBytes = 0;
  const { registry, on } = client(fleet);
  const watch = recordWatch(registry, 'users');
  await fleet.time.runUntil(() => watch.ids === 'a' && on.lines.length > 0, 5000);
  assert.match(on.lines.join(), /cannot be kept on disk/);
  await fleet.time.run(watch.stop());
});

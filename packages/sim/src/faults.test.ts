import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@heddle/kernel/simulated';
import { inject, planFaults } from './faults.ts';
import { simulate } from './world.ts';

const options = { hosts: ['a', 'b', 'c'], fromMs: 1000, untilMs: 60_000, everyMs: 500, longestMs: 3000 };

test('a plan keeps to its bounds, and uses every kind and place', () => {
  const faults = planFaults(seededRandom(1), options);
  assert.ok(faults.length > 80 && faults.length < 160, `${faults.length} faults`);
  for (const { host, peer, atMs, untilMs } of faults) {
    assert.ok(atMs >= 1000 && untilMs <= 60_000 && untilMs > atMs && untilMs - atMs <= 3000);
    assert.notEqual(host, peer);
  }
  assert.equal(new Set(faults.map(({ kind }) => kind)).size, 9);
  assert.equal(new Set(faults.map(({ host }) => host)).size, 3);
  assert.deepEqual(planFaults(seededRandom(1), options), faults);
});

test('links fail only between those that are linked, hosts only where they may', () => {
  const faults = planFaults(seededRandom(2), { ...options, hosts: ['a'], linked: ['b', 'c'] });
  for (const { kind, host } of faults) {
    const onLink = kind.includes('partition') || kind.includes('link');
    assert.ok(onLink ? host !== 'a' : host === 'a', `${kind} ${host}`);
  }
});

test('after a plan has run, all is as before', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = simulate({ seed });
    for (const name of options.hosts) world.host(name).run(() => {});
    inject(world, planFaults(world.random, { ...options, untilMs: 20_000 }));
    await world.run(20_001);
    for (const host of world.hosts) {
      assert.ok(host.running && !host.paused, `seed ${seed}: ${host.name}`);
      assert.equal(host.disk.operationMs, 0.05);
      for (const { name } of world.hosts)
        if (name !== host.name) assert.ok(world.network.connected(host.name, name));
    }
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Instance } from '../registry/instance.ts';
import { instance } from '../registry/validate-instance.ts';
import { checkSubsetting, shareOf } from './subsetting.ts';

const fleet = (count: number, name = 'i'): Instance[] =>
  Array.from({ length: count }, (_, at) =>
    instance({ id: `${name}-${at}`, service: 'users', address: '10.0.0.1', port: 80 }),
  ).toSorted((a, b) => (a.id < b.id ? -1 : 1));

const idsOf = (instances: readonly Instance[], size: number, client: number | string): string[] =>
  shareOf(instances, { size, client }).map(({ id }) => id);

/** How many of these clients each instance has. */
function loads(
  instances: readonly Instance[],
  size: number,
  clients: readonly (number | string)[],
): number[] {
  const counts = new Map(instances.map(({ id }) => [id, 0]));
  for (const client of clients)
    for (const id of idsOf(instances, size, client)) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts.values()];
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

const setups = fc.record({
  count: fc.integer({ min: 1, max: 80 }),
  size: fc.integer({ min: 1, max: 30 }),
  name: fc.stringMatching(/^[a-z]{1,8}$/),
});

test('by default, and where there are not more, a client has them all', () => {
  const all = fleet(5);
  assert.equal(shareOf(all, undefined), all);
  assert.equal(shareOf(all, { size: 5, client: 3 }), all);
  assert.deepEqual(shareOf([], { size: 5, client: 3 }), []);
});

test('property: each client has exactly its number, sorted as they were, always the same ones', () => {
  fc.assert(
    fc.property(setups, fc.nat(2 ** 32 - 1), ({ count, size, name }, client) => {
      const all = fleet(count, name);
      const ids = idsOf(all, size, client);
      assert.equal(ids.length, Math.min(size, count));
      assert.deepEqual(ids, ids.toSorted());
      assert.deepEqual(idsOf(all.toReversed(), size, client).toSorted(), ids);
    }),
  );
});

test('property: of n numbered clients, no instance has more than 1 + log2(n) clients more than another', () => {
  fc.assert(
    fc.property(setups, fc.integer({ min: 1, max: 300 }), ({ count, size, name }, clients) => {
      const found = loads(fleet(count, name), size, upTo(clients));
      const spread = Math.max(...found) - Math.min(...found);
      assert.ok(spread <= 1 + Math.log2(clients), `${spread} with ${clients} clients, ${size} of ${count}`);
    }),
    { numRuns: 200 },
  );
});

test('property: an instance that comes or goes moves at most two connections of each client', () => {
  fc.assert(
    fc.property(setups, fc.nat(1000), fc.nat(), ({ count, size, name }, client, at) => {
      const all = fleet(count + 1, name);
      const without = all.filter((_, index) => index !== at % all.length);
      const [many, few] = [idsOf(all, size, client), idsOf(without, size, client)];
      const opened = many.filter((id) => !few.includes(id));
      const closed = few.filter((id) => !many.includes(id));
      assert.ok(opened.length <= 2 && closed.length <= 2, `${opened.join()} for ${closed.join()}`);
    }),
  );
});

test('a large fleet: 100 clients, 20 of 200 instances each, are spread to within 3; one change moves few', () => {
  const all = fleet(200);
  const found = loads(all, 20, upTo(100));
  assert.ok(Math.max(...found) - Math.min(...found) <= 3, `${Math.min(...found)} to ${Math.max(...found)}`);
  const without = all.filter((_, at) => at !== 77);
  const moved = upTo(100).reduce((sum, client) => {
    const before = idsOf(all, 20, client);
    return sum + idsOf(without, 20, client).filter((id) => !before.includes(id)).length;
  }, 0);
  // 10 had the instance and need another one; 2000 connections there are.
  assert.ok(moved <= 60, `${moved} connections moved`);
});

test('named clients are spread by chance: nobody is without, nobody has three times the mean', () => {
  const names = upTo(400).map((at) => `gateway-7d9f${at * 7919}`);
  const found = loads(fleet(50), 10, names);
  assert.ok(
    Math.min(...found) >= 30 && Math.max(...found) <= 160,
    `${Math.min(...found)} to ${Math.max(...found)}`,
  );
});

test('what is no subsetting is refused', () => {
  for (const bad of [
    { size: 0, client: 1 },
    { size: 1.5, client: 1 },
    { size: 3, client: -1 },
    { size: 3, client: 2 ** 32 },
    { size: 3, client: 0.5 },
  ]) {
    assert.throws(() => checkSubsetting(bad), { reason: 'BAD_SUBSETTING' }, JSON.stringify(bad));
  }
  checkSubsetting({ size: 1, client: 0 });
  checkSubsetting({ size: 20, client: 'gateway-1' });
});

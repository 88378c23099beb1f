import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@heddle/kernel';
import { bareRuntime, seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { byPriority } from './by-priority.ts';
import { levelShares } from './levels.ts';
import { locality } from './locality.ts';
import { type Candidate, noneExcluded, type Policy } from './picker.ts';
import { standings } from './standing.ts';
import { weightedRoundRobin } from './weighted-round-robin.ts';

const call = Call.root(bareRuntime(new VirtualTime()));
const random = seededRandom(5);
const near = locality(weightedRoundRobin, { random, zone: 'a', region: 'north' });

/** `sick` of the instances of a zone are ejected. */
function zone(name: string, region: string, count: number, sick = 0): Candidate[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${name}${index}`,
    weight: 100,
    zone: name,
    region,
    priority: region === 'north' ? 0 : 1,
    blocked: index < sick ? { reason: 'ejected' as const } : undefined,
  }));
}

/** Which share of many calls each zone gets. */
function sharesOf(policy: Policy, candidates: readonly Candidate[]): Record<string, number> {
  const picker = policy(candidates, undefined);
  const counts: Record<string, number> = {};
  const picks = 20_000;
  for (let n = 0; n < picks; n++) {
    const picked = picker.pick(call, noneExcluded) ?? assert.fail('nothing picked');
    counts[picked.zone ?? ''] = (counts[picked.zone ?? ''] ?? 0) + 1 / picks;
  }
  return counts;
}

function about(found: Record<string, number>, expected: Record<string, number>): void {
  assert.deepEqual(Object.keys(found).toSorted(), Object.keys(expected).toSorted());
  for (const [key, share] of Object.entries(expected))
    assert.ok(Math.abs((found[key] ?? 0) - share) < 0.015, `${key}: ${found[key]}, not ${share}`);
}

test('all calls stay in the own zone while it is well', () => {
  about(sharesOf(near, [...zone('a', 'north', 3), ...zone('b', 'north', 9), ...zone('c', 'south', 9)]), {
    a: 1,
  });
});

test('a zone that is short of healthy instances gives away what it cannot carry, to the own region', () => {
  // Four of ten are well: times 1.4 they carry 56 %.
  about(sharesOf(near, [...zone('a', 'north', 10, 6), ...zone('b', 'north', 5), ...zone('d', 'north', 5)]), {
    a: 0.56,
    b: 0.22,
    d: 0.22,
  });
});

test('zone loss: its calls go to the region, and when that is lost too, elsewhere', () => {
  const [b, c] = [zone('b', 'north', 4), zone('c', 'south', 4)];
  about(sharesOf(near, [...zone('a', 'north', 4, 4), ...b, ...c]), { b: 1 });
  about(sharesOf(near, [...b, ...c]), { b: 1 });
  about(sharesOf(near, [...zone('a', 'north', 4, 4), ...zone('b', 'north', 4, 4), ...c]), { c: 1 });
});

test('a zone of the same name in another region is not the own one', () => {
  about(sharesOf(near, [...zone('a', 'south', 4), ...zone('b', 'north', 4)]), { b: 1 });
});

test('when everybody is ill the own zone serves, ill as it is', () => {
  about(sharesOf(near, [...zone('a', 'north', 4, 4), ...zone('c', 'south', 4, 4)]), { a: 1 });
});

test('a call that has tried the whole zone goes to the next', () => {
  const picker = near([...zone('a', 'north', 2), ...zone('b', 'north', 2)], undefined);
  assert.equal(picker.pick(call, ['a0'])?.id, 'a1');
  assert.equal(picker.pick(call, ['a0', 'a1'])?.zone, 'b');
});

test('groups by priority: the second takes what the first cannot', () => {
  const groups = byPriority(weightedRoundRobin, { random });
  about(sharesOf(groups, [...zone('a', 'north', 4), ...zone('c', 'south', 4)]), { a: 1 });
  about(sharesOf(groups, [...zone('a', 'north', 10, 7), ...zone('c', 'south', 4)]), { a: 0.42, c: 0.58 });
});

test('the record says who is farther away, and who takes the calls', () => {
  const picker = near([...zone('a', 'north', 1), ...zone('c', 'south', 1)], undefined);
  assert.equal(picker.policy, 'locality(weighted_round_robin)');
  const [, far] = standings(picker, []);
  assert.deepEqual(far?.exclusion, { reason: 'farther_away', detail: 'elsewhere: own zone takes 100 %' });
});

test('property: shares add up to one, a better level gives away only what it cannot carry', () => {
  const level = fc.tuple(fc.nat(20), fc.nat(20)).map(([able, more]) => ({ able, total: able + more }));
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 5 }), (levels) => {
      fc.pre(levels.some(({ total }) => total > 0));
      const shares = levelShares(levels);
      assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
      let left = 1;
      const carried = levels.map(({ able, total }) => (total === 0 ? 0 : (1.4 * able) / total));
      if (carried.reduce((sum, each) => sum + each, 0) < 1) return;
      for (const [index, share] of shares.entries()) {
        assert.ok(Math.abs(share - Math.min(left, carried[index] as number)) < 1e-9);
        left -= share;
      }
    }),
  );
});

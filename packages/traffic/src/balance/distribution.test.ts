// How calls are shared out: exactly where the policy is exact, by chi-square where it is chance.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@heddle/kernel';
import { bareRuntime, seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { leastRequest } from './least-request.ts';
import { orca } from './orca.ts';
import { p2cLatency } from './p2c-latency.ts';
import { type Candidate, noneExcluded, type Policy } from './picker.ts';
import { random, weightedRandom } from './random.ts';
import { roundRobin } from './round-robin.ts';
import { weightedRoundRobin } from './weighted-round-robin.ts';

const time = new VirtualTime();
const call = Call.root(bareRuntime(time));

function shares(policy: Policy, weights: readonly number[], picks: number): number[] {
  const candidates = weights.map((weight, index) => ({
    id: `i${String(index).padStart(4, '0')}`,
    weight,
    index,
  }));
  const picker = policy(candidates, undefined);
  const counts = weights.map(() => 0);
  for (let n = 0; n < picks; n++) {
    const picked = picker.pick(call, noneExcluded) ?? assert.fail('nothing picked');
    (counts[picked.index] as number)++;
  }
  return counts;
}

/** How far counts are from what is expected, in standard deviations of the chi-square distribution: about normal. */
function surprise(counts: readonly number[], expected: readonly number[]): number {
  const squares = counts.reduce((sum, count, index) => {
    const wanted = expected[index] as number;
    return wanted === 0 ? sum + (count === 0 ? 0 : Infinity) : sum + (count - wanted) ** 2 / wanted;
  }, 0);
  const freedom = expected.filter((wanted) => wanted > 0).length - 1;
  return freedom === 0 ? 0 : (squares - freedom) / Math.sqrt(2 * freedom);
}

const weightLists = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 30 });

test('property: round robin is exact in every n picks, smooth weighted in every cycle', () => {
  fc.assert(
    fc.property(weightLists, fc.integer({ min: 1, max: 3 }), (weights, cycles) => {
      const even = shares(roundRobin(seededRandom(1)), weights, cycles * weights.length);
      assert.deepEqual(
        even,
        weights.map(() => cycles),
      );
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      assert.deepEqual(
        shares(weightedRoundRobin, weights, cycles * total),
        weights.map((weight) => weight * cycles),
      );
    }),
  );
});

test('smooth weighted at 1,000 instances: exact in a cycle, and at any time within one of the ideal', () => {
  const weights = Array.from({ length: 1000 }, (_, index) => 10 + (index % 7));
  const candidates = weights.map((weight, index) => ({ id: `i${1000 + index}`, weight, index }));
  const picker = weightedRoundRobin(candidates, undefined);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const counts = weights.map(() => 0);
  for (let n = 1; n <= total; n++) {
    const { index, weight } = picker.pick(call, noneExcluded) ?? assert.fail();
    const count = (counts[index] ?? 0) + 1;
    counts[index] = count;
    assert.ok(Math.abs(count - (n * weight) / total) < 1.001);
  }
  assert.deepEqual(counts, weights);
});

const random12 = [5, 3, 2, 1, 1, 1, 10, 7, 4, 4, 4, 100];
const many = Array.from({ length: 300 }, (_, index) => 1 + (index % 4));
const chances: readonly [string, (seed: number) => Policy, boolean][] = [
  ['random', (seed) => random(seededRandom(seed)), false],
  ['weighted random', (seed) => weightedRandom(seededRandom(seed)), true],
  ['least request of idle instances', (seed) => leastRequest(seededRandom(seed)), true],
  [
    'p2c latency of unknown instances',
    (seed) => p2cLatency({ random: seededRandom(seed), clock: time.clock }),
    true,
  ],
  ['orca without reports', (seed) => orca({ random: seededRandom(seed), clock: time.clock }), true],
];
for (const [name, make, weighted] of chances) {
  test(`${name}: shares as the ${weighted ? 'weights' : 'number'} say, by chi-square`, () => {
    for (const weights of [random12, many, [1], [0, 1, 2], random12.slice(0, 10)]) {
      if (!weighted && weights.includes(0)) continue;
      const total = weights.reduce((sum, weight) => sum + (weighted ? weight : 1), 0);
      const picks = 60_000;
      const expected = weights.map((weight) => ((weighted ? weight : 1) * picks) / total);
      const found = [1, 2, 3, 4, 5].map((seed) => surprise(shares(make(seed), weights, picks), expected));
      // Five seeds, fixed: the mean is about normal with 1/sqrt(5). A wrong share of 1 % would show as 20 and more.
      const mean = found.reduce((sum, each) => sum + each, 0) / found.length;
      assert.ok(Math.abs(mean) < 2.2, `${name} of ${weights.length}: ${found.join(' ')}`);
    }
  });
}

test('a candidate of weight 0 takes nothing while others can', () => {
  for (const [, make, weighted] of chances) {
    if (weighted) assert.equal(shares(make(1), [0, 3, 0, 1], 1000)[0], 0);
    const idle: Candidate[] = [{ id: 'a', weight: 0 }];
    assert.equal(make(1)(idle, undefined).pick(call, noneExcluded)?.id, 'a');
  }
});

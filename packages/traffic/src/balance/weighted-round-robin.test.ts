import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { type Candidate, noneExcluded, type Picker } from './picker.ts';
import { weightedRoundRobin } from './weighted-round-robin.ts';

const call = Call.root(bareRuntime(new VirtualTime()));
const weighing = (...weights: number[]): Candidate[] => {
  return weights.map((weight, index) => ({ id: `i${String(index).padStart(4, '0')}`, weight }));
};
const sequence = (picker: Picker<Candidate>, count: number): string[] => {
  return Array.from({ length: count }, () => picker.pick(call, noneExcluded)?.id ?? 'none');
};
const tally = (ids: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const id of ids) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
};
const weightList = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 });

test('an empty set gives nothing', () => {
  assert.equal(weightedRoundRobin([], undefined).pick(call, noneExcluded), undefined);
});

test('5:3:2 gives exactly 5, 3 and 2 in every ten, and 500, 300 and 200 in a thousand', () => {
  const ids = sequence(weightedRoundRobin(weighing(50, 30, 20), undefined), 1000);
  for (let at = 0; at + 10 <= ids.length; at++) {
    assert.deepEqual(tally(ids.slice(at, at + 10)), { i0000: 5, i0001: 3, i0002: 2 });
  }
  assert.deepEqual(tally(ids), { i0000: 500, i0001: 300, i0002: 200 });
  assert.ok(!/(i0000,){3}/.test(`${ids.join()},`), 'never three in a row to half of the weight');
});

test('one heavy among a thousand light ones gets its half evenly, not in blocks', () => {
  const ids = sequence(
    weightedRoundRobin(weighing(1000, ...Array.from({ length: 1000 }, () => 1)), undefined),
    4000,
  );
  for (let at = 0; at + 20 <= ids.length; at++) {
    const heavy = ids.slice(at, at + 20).filter((id) => id === 'i0000').length;
    assert.ok(heavy >= 8 && heavy <= 12, `${heavy} of 20 from ${at}`);
  }
});

test('weight 0 takes no traffic while others can, and all 0 counts as all alike', () => {
  assert.deepEqual(tally(sequence(weightedRoundRobin(weighing(0, 1), undefined), 10)), { i0001: 10 });
  assert.deepEqual(tally(sequence(weightedRoundRobin(weighing(0, 0), undefined), 10)), {
    i0000: 5,
    i0001: 5,
  });
});

test('weights beyond what a rotation holds keep their shares to one percent', () => {
  const weights = Array.from({ length: 1000 }, (_, index) => 501 + ((index * 7919) % 997));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const counts = tally(sequence(weightedRoundRobin(weighing(...weights), undefined), 200_000));
  weights.forEach((weight, index) => {
    const share = (counts[`i${String(index).padStart(4, '0')}`] ?? 0) / 200_000;
    assert.ok(Math.abs(share / (weight / total) - 1) < 0.04, `${index}: ${share} for ${weight / total}`);
  });
});

test('property: exact over every window of one rotation', () => {
  fc.assert(
    fc.property(weightList, fc.nat(50), (weights, offset) => {
      const picker = weightedRoundRobin(weighing(...weights), undefined);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const counts = tally(sequence(picker, offset + total).slice(offset));
      weights.forEach((weight, index) => assert.equal(counts[`i${String(index).padStart(4, '0')}`], weight));
    }),
  );
});

test('property: an update of what is not weight leaves the sequence as it was', () => {
  fc.assert(
    fc.property(weightList, fc.nat(30), (weights, before) => {
      const untouched = weightedRoundRobin(weighing(...weights), undefined);
      const picker = weightedRoundRobin(weighing(...weights), undefined);
      assert.deepEqual(sequence(picker, before), sequence(untouched, before));
      const updated = weightedRoundRobin(weighing(...weights).toReversed(), picker);
      assert.deepEqual(sequence(updated, 40), sequence(untouched, 40));
    }),
  );
});

test('property: with an update before every pick nobody is starved and nobody gets a burst', () => {
  // Two instances come and go in turn with each pick; a rotation begun anew each time would always pick the first.
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 6 }), (weights) => {
      const stable = weighing(...weights);
      const passing: Candidate = { id: 'z', weight: 1 };
      let picker: Picker<Candidate> | undefined;
      const ids: string[] = [];
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let round = 0; round < 20 * total; round++) {
        picker = weightedRoundRobin(round % 2 === 0 ? stable : [...stable, passing], picker);
        ids.push(...sequence(picker, 1));
      }
      const counts = tally(ids.filter((id) => id !== 'z'));
      const kept = ids.filter((id) => id !== 'z').length;
      weights.forEach((weight, index) => {
        const share = (counts[`i${String(index).padStart(4, '0')}`] ?? 0) / kept;
        assert.ok(
          Math.abs(share - weight / total) < 0.5 * (weight / total),
          `${index}: ${share} of ${weights.join()}`,
        );
      });
    }),
    { numRuns: 50 },
  );
});

test('a newcomer gets its share from the start, and no more', () => {
  const first = weightedRoundRobin(weighing(10, 10, 10), undefined);
  sequence(first, 1000);
  const ids = sequence(weightedRoundRobin(weighing(10, 10, 10, 10), first), 8);
  assert.deepEqual(tally(ids), { i0000: 2, i0001: 2, i0002: 2, i0003: 2 });
});

test('excluded ones are passed over, and taken only when nobody else is left', () => {
  const picker = weightedRoundRobin(weighing(1000, 1), undefined);
  assert.equal(picker.pick(call, ['i0000'])?.id, 'i0001');
  assert.notEqual(picker.pick(call, ['i0000', 'i0001']), undefined);
  assert.equal(weightedRoundRobin(weighing(7), undefined).pick(call, ['i0000'])?.id, 'i0000');
  assert.equal(weightedRoundRobin(weighing(1, 0), undefined).pick(call, ['i0000'])?.id, 'i0000');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@heddle/kernel';
import { bareRuntime, seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { type Candidate, noneExcluded } from './picker.ts';
import { roundRobin } from './round-robin.ts';

const call = Call.root(bareRuntime(new VirtualTime()));
const named = (...ids: string[]): Candidate[] => ids.map((id) => ({ id, weight: 100 }));
const take = (
  picker: { pick(call: Call, excluded: readonly string[]): Candidate | undefined },
  count: number,
): string => Array.from({ length: count }, () => picker.pick(call, noneExcluded)?.id).join('');

test('an empty set gives nothing', () => {
  assert.equal(roundRobin(seededRandom(1))([], undefined).pick(call, noneExcluded), undefined);
});

test('each in turn, in the order of the ids, from a random start', () => {
  const starts = new Set<string>();
  for (let seed = 1; seed <= 50; seed++) {
    const sequence = take(roundRobin(seededRandom(seed))(named('c', 'a', 'b'), undefined), 6);
    assert.ok('abcabcabc'.includes(sequence), sequence);
    starts.add(sequence.charAt(0));
  }
  assert.deepEqual([...starts].toSorted(), ['a', 'b', 'c']);
});

test('an update goes on where the turn was', () => {
  const policy = roundRobin({ ...seededRandom(1), float: () => 0 });
  const first = policy(named('a', 'b', 'd'), undefined);
  assert.equal(take(first, 2), 'ab');
  assert.equal(take(policy(named('a', 'b', 'c', 'd'), first), 4), 'dabc', 'the turn of d stays');
  const second = policy(named('a', 'b', 'd'), first);
  assert.equal(take(policy(named('a', 'b'), second), 3), 'aba', 'd has left: its successor is a');
});

test('excluded ones are passed over, and taken only when nobody else is left', () => {
  const picker = roundRobin({ ...seededRandom(1), float: () => 0 })(named('a', 'b', 'c'), undefined);
  assert.equal(picker.pick(call, ['a'])?.id, 'b');
  assert.equal(picker.pick(call, ['c', 'a'])?.id, 'b');
  assert.equal(picker.pick(call, ['a', 'b', 'c'])?.id, 'c');
  assert.equal(take(picker, 1), 'c', 'a pick among excluded ones does not use up the turn');
});

test('property: over any updates, successive picks differ as far as the set allows and n picks see all n', () => {
  const sets = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1 }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(sets, fc.integer(), (updates, seed) => {
      const policy = roundRobin(seededRandom(seed));
      let picker = policy<Candidate>([], undefined);
      for (const ids of updates) {
        picker = policy(named(...ids.map(String)), picker);
        const seen = new Set(take(picker, ids.length));
        assert.equal(seen.size, ids.length);
      }
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@heddle/kernel';
import { bareRuntime, seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { available } from './available.ts';
import { type Candidate, noneExcluded, type Picker } from './picker.ts';
import { roundRobin } from './round-robin.ts';
import type { Exclusion } from './exclusion.ts';
import { standings } from './standing.ts';

const call = Call.root(bareRuntime(new VirtualTime()));
const firstInTurn = roundRobin({ ...seededRandom(1), float: () => 0 });
const ejected: Exclusion = { reason: 'ejected', detail: '5 failures in a row' };

/** Candidates whose blocks the test sets and lifts. */
function fleet(...ids: string[]): { id: string; weight: number; blocked: Exclusion | undefined }[] {
  return ids.map((id) => ({ id, weight: 100, blocked: undefined }));
}
const take = (picker: Picker<Candidate>, count: number): string =>
  Array.from({ length: count }, () => picker.pick(call, noneExcluded)?.id).join('');

test('who is blocked is left out, and comes back with the next picker', () => {
  const policy = available(firstInTurn);
  const [a, b, c] = fleet('a', 'b', 'c') as [Candidate & { blocked: unknown }, Candidate, Candidate];
  const blocked: Candidate = { ...b, blocked: ejected };
  const first = policy([a, blocked, c], undefined);
  assert.equal(take(first, 4), 'acac');
  assert.equal(first.candidates.length, 3, 'for people it is still there');
  assert.equal(take(policy([a, b, c], first), 3), 'abc');
});

test('a block that is newer than the picker is heeded at the pick', () => {
  const all = fleet('a', 'b', 'c');
  const picker = available(firstInTurn)(all, undefined);
  const [first, second, third] = all as [(typeof all)[0], (typeof all)[0], (typeof all)[0]];
  second.blocked = ejected;
  assert.ok(!take(picker, 30).includes('b'));
  third.blocked = ejected;
  assert.equal(take(picker, 5), 'aaaaa');
  first.blocked = ejected;
  assert.notEqual(picker.pick(call, noneExcluded), undefined, 'one of them rather than none');
  second.blocked = undefined;
  assert.ok(take(picker, 3).includes('b'));
});

test('panic: with fewer than half unblocked all are used, blocks or not', () => {
  const all = fleet('a', 'b', 'c', 'd', 'e');
  for (const each of all.slice(0, 3)) each.blocked = ejected;
  assert.equal(take(available(firstInTurn)(all, undefined), 5), 'abcde');
  assert.equal(take(available(firstInTurn, { panicShare: 0.4 })(all, undefined), 4), 'dede');
  for (const each of all) each.blocked = ejected;
  assert.equal(take(available(firstInTurn, { panicShare: 0 })(all, undefined), 5), 'abcde');
});

test('standings name who stands back and why, the nearest reason first', () => {
  const all = fleet('a', 'b', 'c');
  const [first, second] = all as [(typeof all)[0], (typeof all)[0]];
  first.blocked = ejected;
  second.weight = 0;
  const picker = available(firstInTurn)(all, undefined);
  const found = standings(picker, ['c']).map(
    ({ candidate, exclusion }) => `${candidate.id} ${exclusion?.reason}`,
  );
  assert.deepEqual(found, ['a ejected', 'b weight_zero', 'c tried']);
  assert.throws(() => available(firstInTurn, { panicShare: 2 }), /panicShare: expected a number from 0 to 1/);
});

test('who cannot be reached is left out, and is no reason to doubt the judgement of the others', () => {
  const unreachable: Exclusion = { reason: 'unreachable' };
  const policy = available(firstInTurn);
  const all = (...blocks: (Exclusion | undefined)[]): Candidate[] =>
    blocks.map((blocked, index) => ({ id: 'abcd'[index] ?? '', weight: 100, blocked }));
  assert.equal(take(policy(all(undefined, unreachable, unreachable, unreachable), undefined), 3), 'aaa');
  assert.equal(take(policy(all(undefined, ejected, unreachable, unreachable), undefined), 3), 'aaa');
  // Panic: but to those that can be reached.
  assert.equal(take(policy(all(undefined, ejected, ejected, unreachable), undefined), 6), 'abcabc');
  assert.equal(take(policy(all(unreachable, unreachable), undefined), 4), 'abab');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, HeddleError, idempotency, idempotencyKey } from '@heddle/kernel';
import { bareRuntime, seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { backoffMs } from './backoff.ts';
import { decide, type GiveUp, mayRepeat, type Situation } from './decision.ts';

const good: Situation = {
  meaning: 'retryable',
  attempt: 1,
  attempts: 3,
  replayable: true,
  repeatable: true,
  pushbackMs: undefined,
  backoffMs: 10,
  remainingMs: 1000,
  cancelled: false,
};

test('a retryable failure with time, attempts and leave is tried again after the back-off', () => {
  assert.deepEqual(decide(good), { retry: true, delayMs: 10 });
});

const refusals: readonly [GiveUp, Partial<Situation>][] = [
  ['settled', { meaning: 'success' }],
  ['settled', { meaning: 'failure' }],
  ['settled', { meaning: 'ignored' }],
  ['cancelled', { cancelled: true }],
  ['attempts_used_up', { attempt: 3 }],
  ['cannot_replay', { replayable: false }],
  ['not_idempotent', { repeatable: false }],
  ['pushed_back', { pushbackMs: -1 }],
  ['deadline_too_near', { backoffMs: 1000 }],
  ['deadline_too_near', { pushbackMs: 5000 }],
  ['deadline_too_near', { backoffMs: 0, remainingMs: 0 }],
];
for (const [why, change] of refusals) {
  test(`no retry, ${why}: ${JSON.stringify(change)}`, () => {
    assert.deepEqual(decide({ ...good, ...change }), { retry: false, why });
  });
}

test('what the server asks for replaces the back-off', () => {
  assert.deepEqual(decide({ ...good, pushbackMs: 250 }), { retry: true, delayMs: 250 });
});

test('repeating does no harm only to what was not sent, is idempotent, or has a key', () => {
  const call = (): Call => Call.root(bareRuntime(new VirtualTime()));
  const error = (sent: boolean): HeddleError =>
    new HeddleError({ code: 'unavailable', reason: 'X', message: 'x', sent });
  assert.equal(mayRepeat(call(), error(true)), false);
  assert.equal(mayRepeat(call(), undefined), false);
  assert.equal(mayRepeat(call(), error(false)), true);
  assert.equal(mayRepeat(call().set(idempotency, 'idempotent'), error(true)), true);
  assert.equal(mayRepeat(call().set(idempotency, 'no_side_effects'), error(true)), true);
  assert.equal(mayRepeat(call().set(idempotencyKey, 'k'), error(true)), true);
});

test('back-off doubles up to its limit and is spread over the whole span', () => {
  const random = seededRandom(7);
  for (const [failures, bound] of [
    [1, 25],
    [2, 50],
    [3, 100],
    [4, 200],
    [20, 2000],
  ] as const) {
    const waits = Array.from({ length: 2000 }, () => backoffMs(failures, random));
    assert.ok(Math.max(...waits) < bound && Math.max(...waits) > bound * 0.95);
    assert.ok(Math.min(...waits) < bound * 0.05);
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
    assert.ok(Math.abs(mean - bound / 2) < bound * 0.05);
  }
});

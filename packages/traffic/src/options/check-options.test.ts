import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { checkOptions, durationMs, share, wholeFrom } from './check-options.ts';

const rules = { openMs: durationMs, rate: share, probes: wholeFrom(1) };

test('what fits passes, and what is left out has defaults', () => {
  checkOptions('breaker', { openMs: 1, rate: 0 }, rules);
  checkOptions('breaker', { openMs: undefined }, rules);
});

test('all problems at once, each with field, expected and found', () => {
  const given = { openMs: 0, rate: Number.NaN, probes: 1.5, opnMs: 3, toString: 1 };
  assert.throws(
    () => checkOptions('breaker', given, rules),
    (thrown) => {
      assert.ok(thrown instanceof HeddleError);
      assert.equal(`${thrown.code} ${thrown.reason}`, 'invalid_argument BAD_OPTIONS');
      assert.deepEqual(thrown.message.split('; '), [
        'breaker: openMs: expected milliseconds above 0, found 0',
        'rate: expected a number from 0 to 1, found NaN',
        'probes: expected a whole number, 1 or more, found 1.5',
        'opnMs: unknown, expected one of openMs, rate, probes',
        'toString: unknown, expected one of openMs, rate, probes',
      ]);
      return true;
    },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { faultsOf } from './faults.ts';

test('faultsOf reads each fault, and none', () => {
  assert.deepEqual(faultsOf({}), {});
  assert.deepEqual(
    faultsOf({ delay: { percent: 50, ms: 300 }, error: { percent: 10, code: 'unavailable' } }),
    {
      delay: { percent: 50, ms: 300 },
      error: { percent: 10, code: 'unavailable' },
    },
  );
  assert.deepEqual(faultsOf({ hang: { percent: 1 } }), { hang: { percent: 1 } });
});

test('faultsOf refuses what it would not do', () => {
  const wrong = [
    { dealy: { percent: 1, ms: 1 } },
    { delay: { percent: 1 } },
    { delay: { percent: 101, ms: 1 } },
    { error: { percent: 1, code: 'teapot' } },
    { hang: true },
  ];
  for (const each of wrong) {
    assert.throws(
      () => faultsOf(each),
      (thrown) => thrown instanceof HeddleError && thrown.reason === 'INVALID_FIELD',
      JSON.stringify(each),
    );
  }
});

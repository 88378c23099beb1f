import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { cities } from '../catalog/words.ts';
import { quote } from './rates.ts';

test('quote counts begun kilograms', () => {
  assert.deepEqual(quote('DE', 1), { costMinor: 530, days: 2 });
  assert.deepEqual(quote('DE', 1000), { costMinor: 530, days: 2 });
  assert.deepEqual(quote('DE', 1001), { costMinor: 570, days: 2 });
});

test('quote serves every country that the generated people live in, and refuses others by name', () => {
  for (const { country } of cities) assert.ok(quote(country, 500).costMinor > 0);
  for (const country of ['US', '', 'constructor']) {
    assert.throws(
      () => quote(country, 500),
      (thrown) => thrown instanceof HeddleError && thrown.is('failed_precondition', 'DESTINATION_NOT_SERVED'),
    );
  }
});

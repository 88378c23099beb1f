import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { listingOf } from './product.ts';

test('listingOf has defaults and reads what is there', () => {
  assert.deepEqual(listingOf(new URLSearchParams()), {
    query: undefined,
    category: undefined,
    page: 1,
    size: 20,
  });
  assert.deepEqual(listingOf(new URLSearchParams('query=+cast%20iron+&category=kitchen&page=3&size=50')), {
    query: 'cast iron',
    category: 'kitchen',
    page: 3,
    size: 50,
  });
});

test('listingOf refuses what no page can be', () => {
  for (const text of [
    'page=0',
    'page=-1',
    'page=1e3',
    'page=x',
    'size=101',
    'page=1000&size=100',
    `query=${'x'.repeat(101)}`,
  ]) {
    assert.throws(
      () => listingOf(new URLSearchParams(text)),
      (thrown) => thrown instanceof HeddleError && thrown.reason === 'INVALID_FIELD',
      text,
    );
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proveExactlyOnce } from './prove.ts';

// A short version of `npm run proof`; the limits are for a machine that does much else.
test('with outbox and inbox, kill -9 anywhere loses nothing and doubles nothing', {
  timeout: 300_000,
}, async () => {
  const { broken, runs } = await proveExactlyOnce({ runs: 10 });
  assert.equal(broken, undefined);
  assert.equal(runs, 10);
});

test('without the inbox, the same proof fails', { timeout: 300_000 }, async () => {
  const { broken } = await proveExactlyOnce({ runs: 60, inbox: false, among: ['receiver'] });
  assert.ok(broken !== undefined, 'no effect was doubled in 60 runs');
  assert.equal(broken.books.lost, 0);
  assert.ok(broken.books.doubled > 0);
});

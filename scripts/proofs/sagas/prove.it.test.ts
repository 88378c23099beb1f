import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proveSagas } from './prove.ts';

// A short version of `npm run proof:sagas`; the limit is for a machine that does much else.
test('sagas whose processes are killed end once, as they say, and nothing stays in doubt', {
  timeout: 400_000,
}, async () => {
  const books = await proveSagas({ sagas: 200, workers: 2, killEveryMs: 1000, limitMs: 300_000 });
  const { completed, compensated, open, doubled, wrong, madeOrLost, inDoubt } = books;
  assert.deepEqual(
    { completed, compensated, open, doubled, wrong, madeOrLost, inDoubt },
    { completed: 180, compensated: 20, open: 0, doubled: 0, wrong: 0, madeOrLost: 0, inDoubt: 0 },
    JSON.stringify(books),
  );
});

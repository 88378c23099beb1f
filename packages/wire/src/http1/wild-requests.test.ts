import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { readRequests } from './testdata/read-requests.ts';
import { wildRequests } from './testdata/wild-requests.ts';

it('reads the same, however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(wildRequests, fc.array(fc.nat(600), { maxLength: 8 }), async (bytes, places) => {
      const cuts = [...new Set(places.map((place) => place % bytes.length))].filter((cut) => cut > 0);
      cuts.sort((a, b) => a - b);
      assert.deepEqual(await readRequests(bytes, cuts), await readRequests(bytes, []));
    }),
    { numRuns: 1500 },
  );
});

it('answers every request that it serves, and nothing after it has closed', async () => {
  await fc.assert(
    fc.asyncProperty(wildRequests, async (bytes) => {
      const { served, statuses, closes } = await readRequests(bytes, []);
      const refused = statuses.filter((status) => status !== 200);
      assert.equal(statuses.length - refused.length, served.length);
      assert.ok(refused.length <= 1 && (refused.length === 0 || (closes && statuses.at(-1) === refused[0])));
    }),
    { numRuns: 1000 },
  );
});

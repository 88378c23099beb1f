import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { readAnswer } from './testdata/read-answer.ts';
import { responseCases } from './testdata/response-cases.ts';
import { mutate, mutation } from './testdata/wild-requests.ts';

const short = responseCases.filter(({ bytes }) => bytes.length > 0 && bytes.length < 1000);
const shortLine = short.find(({ bytes }) => bytes === 'HTTP/1.1 20') as (typeof short)[number];

it('reads an answer the same, however its bytes are cut, and trusts no connection that failed', async () => {
  const wild = fc.tuple(fc.constantFrom(...short), fc.array(mutation, { maxLength: 2 }), fc.boolean());
  await fc.assert(
    fc.asyncProperty(
      wild,
      fc.array(fc.nat(600), { maxLength: 8 }),
      async ([base, mutations, ends], places) => {
        const sent = { method: base.method, bytes: mutations.reduce(mutate, base.bytes), ends };
        if (sent.bytes === '') return;
        const cuts = [...new Set(places.map((place) => place % sent.bytes.length))].filter((cut) => cut > 0);
        cuts.sort((a, b) => a - b);
        const whole = await readAnswer(sent, []);
        assert.deepEqual(await readAnswer(sent, cuts), whole);
        assert.ok(whole.failed === undefined || !whole.reused);
      },
    ),
    {
      numRuns: 1500,
      // Found once: a line that ended before it could be long enough was judged only if something followed it at once.
      examples: [[[shortLine, [{ at: 43, kind: 'insert', bytes: '\r\n' }], false], [139]]],
    },
  );
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AnswerReading, readAnswer } from './testdata/read-answer.ts';
import { type ResponseCase, responseCases } from './testdata/response-cases.ts';

function expected({ answer, failed, reused }: ResponseCase): AnswerReading {
  return { answer, failed, reused };
}

describe('answers, whole', () => {
  for (const response of responseCases) {
    it(`${response.section}: ${response.what}`, async () => {
      assert.deepEqual(await readAnswer(response, []), expected(response));
    });
  }
});

describe('answers, in pieces', () => {
  it('is read the same byte by byte', async () => {
    for (const response of responseCases) {
      const { bytes, section, what } = response;
      if (bytes.length > 1000) continue;
      const cuts = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, at) => at + 1);
      assert.deepEqual(await readAnswer(response, cuts), expected(response), `${section}: ${what}`);
    }
  });

  it('is read the same when cut in two, anywhere', async () => {
    for (const response of responseCases) {
      const { bytes, section, what } = response;
      if (bytes.length > 400) continue;
      for (let cut = 1; cut < bytes.length; cut++) {
        assert.deepEqual(
          await readAnswer(response, [cut]),
          expected(response),
          `${section}: ${what}, cut at ${cut}`,
        );
      }
    }
  });
});

describe('the table of answers', () => {
  it('has at least 30 cases', () => {
    assert.ok(responseCases.length >= 30, `${responseCases.length} cases`);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Reading, readRequests } from './testdata/read-requests.ts';
import { type RequestCase, requestCases } from './testdata/request-cases.ts';

function expected({ served, refused }: RequestCase): Reading {
  const statuses = served.map(() => 200);
  if (refused !== undefined && refused !== 200) statuses.push(refused);
  return { served, statuses, closes: refused !== undefined };
}

describe('requests, whole', () => {
  for (const request of requestCases) {
    it(`${request.section}: ${request.what}`, async () => {
      assert.deepEqual(await readRequests(request.bytes, []), expected(request));
    });
  }
});

describe('requests, in pieces', () => {
  it('is read the same byte by byte', async () => {
    for (const request of requestCases) {
      const { bytes, section, what } = request;
      if (bytes.length > 1000) continue;
      const cuts = Array.from({ length: bytes.length - 1 }, (_, at) => at + 1);
      assert.deepEqual(await readRequests(bytes, cuts), expected(request), `${section}: ${what}`);
    }
  });

  it('is read the same when cut in two, anywhere', async () => {
    for (const request of requestCases) {
      const { bytes, section, what } = request;
      if (bytes.length > 400) continue;
      for (let cut = 1; cut < bytes.length; cut++) {
        assert.deepEqual(
          await readRequests(bytes, [cut]),
          expected(request),
          `${section}: ${what}, cut at ${cut}`,
        );
      }
    }
  });

  it('is read the same in pieces of 1000 bytes', async () => {
    for (const request of requestCases) {
      const { bytes, section, what } = request;
      const cuts = Array.from({ length: Math.floor((bytes.length - 1) / 1000) }, (_, at) => (at + 1) * 1000);
      assert.deepEqual(await readRequests(bytes, cuts), expected(request), `${section}: ${what}`);
    }
  });
});

describe('the table of requests', () => {
  it('has at least 120 cases, each by a name of its own', () => {
    assert.ok(requestCases.length >= 120, `${requestCases.length} cases`);
    const names = requestCases.map(({ section, what }) => `${section}: ${what}`);
    assert.deepEqual(
      names.filter((name, at) => names.indexOf(name) !== at),
      [],
    );
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call, settle } from '@heddle/kernel';
import { emptyBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { ClientConnection } from './client-connection.ts';
import { http1ClientLimits } from './client-limits.ts';
import { HandConnection, settled } from './testdata/hand-connection.ts';
import { handRuntime } from './testdata/hand-runtime.ts';
import { type ResponseCase, responseCases } from './testdata/response-cases.ts';

/** What a client makes of a case. */
interface Reading {
  readonly answer: string | undefined;
  readonly failed: string | undefined;
  readonly reused: boolean;
}

async function read(response: ResponseCase, cuts: readonly number[]): Promise<Reading> {
  const { bytes, method, ends } = response;
  const runtime = handRuntime();
  const socket = new HandConnection();
  let reused = false;
  const owner = { free: () => (reused = true), gone: () => {} };
  const client = new ClientConnection(runtime, socket, http1ClientLimits, owner);
  const call = Call.root(runtime);
  const request = {
    method,
    scheme: 'http',
    authority: 'a',
    path: '/',
    fields: new Fields(),
    body: emptyBody,
  } as const;
  let answer: string | undefined;
  let failed: string | undefined;
  const reading = settle((req, on) => client.exchange(req, on), request, call).then(async (result) => {
    if (!result.ok) {
      failed = result.error.reason;
      return;
    }
    answer = String(result.value.status);
    const content = await result.value.body.bytes(100_000).catch((error) => {
      failed = error.reason;
      return new Uint8Array(0);
    });
    if (content.length > 0) answer += ` ${Buffer.from(content).toString('latin1')}`;
  });
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut > from) socket.feed(bytes.slice(from, cut));
    await settled();
    from = cut;
  }
  if (ends) socket.finish();
  await settled();
  // What is wrong with the answer may show only now: the connection drops, or it is free.
  const given = { answer, failed, reused: reused && client.usable };
  socket.close();
  await reading;
  assert.notEqual(call.outcome, undefined, 'the call has ended');
  return given;
}

function expected({ answer, failed, reused }: ResponseCase): Reading {
  return { answer, failed, reused };
}

describe('answers, whole', () => {
  for (const response of responseCases) {
    it(`${response.section}: ${response.what}`, async () => {
      assert.deepEqual(await read(response, []), expected(response));
    });
  }
});

describe('answers, in pieces', () => {
  it('is read the same byte by byte', async () => {
    for (const response of responseCases) {
      const { bytes, section, what } = response;
      if (bytes.length > 1000) continue;
      const cuts = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, at) => at + 1);
      assert.deepEqual(await read(response, cuts), expected(response), `${section}: ${what}`);
    }
  });

  it('is read the same when cut in two, anywhere', async () => {
    for (const response of responseCases) {
      const { bytes, section, what } = response;
      if (bytes.length > 400) continue;
      for (let cut = 1; cut < bytes.length; cut++) {
        assert.deepEqual(
          await read(response, [cut]),
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

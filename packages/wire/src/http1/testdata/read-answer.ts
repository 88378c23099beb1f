import assert from 'node:assert/strict';
import { Call, settle } from '@heddle/kernel';
import { emptyBody } from '../../message/body.ts';
import { Fields } from '../../message/fields.ts';
import { ClientConnection } from '../client-connection.ts';
import { http1ClientLimits } from '../client-limits.ts';
import { HandConnection, settled } from './hand-connection.ts';
import { handRuntime } from './hand-runtime.ts';
import type { ResponseCase } from './response-cases.ts';

/** What a client makes of an upstream's bytes. */
export interface AnswerReading {
  readonly answer: string | undefined;
  readonly failed: string | undefined;
  readonly reused: boolean;
}

/** What is sent in answer to one request. */
export type Sent = Pick<ResponseCase, 'bytes' | 'method' | 'ends'>;

/** Lets a client of ours read what an upstream sends, cut where `cuts` say. One character, one byte. */
export async function readAnswer(response: Sent, cuts: readonly number[]): Promise<AnswerReading> {
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

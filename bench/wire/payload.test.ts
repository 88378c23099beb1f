import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  framed,
  parseStreamRequest,
  streamMessage,
  streamRequest,
  unaryMessage,
  unframed,
} from './payload.ts';
import { payload, serverStream } from './subjects/connect-echo.ts';

test('what is sent is the protobuf that the descriptor describes', () => {
  const unary = fromBinary(payload, unaryMessage) as unknown as { body: Uint8Array };
  assert.equal(unary.body.byteLength, 98);
  assert.equal(unaryMessage.length, 100);
  const request = fromBinary(serverStream.input, streamRequest(70_000, 1024));
  assert.deepEqual([Reflect.get(request, 'count'), Reflect.get(request, 'size')], [70_000, 1024]);
  assert.deepEqual(parseStreamRequest(toBinary(serverStream.input, request)), { count: 70_000, size: 1024 });
  const streamed = fromBinary(payload, streamMessage(1024)) as unknown as { body: Uint8Array };
  assert.equal(streamed.body.byteLength, 1021);
});

test('frames are taken apart, and a cut one is noticed', () => {
  const messages = [unaryMessage, Buffer.alloc(0), Buffer.from('abc')].map((each) => Uint8Array.from(each));
  const body = Buffer.concat(messages.map(framed));
  assert.deepEqual(
    unframed(body).map((each) => Uint8Array.from(each)),
    messages,
  );
  assert.throws(() => unframed(body.subarray(0, body.length - 1)), /ends within a message/);
  assert.throws(() => unframed(body.subarray(0, 3)), /ends within a message/);
});

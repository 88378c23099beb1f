import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Body, streamBody, wholeBody } from '../message/body.ts';
import fc from 'fast-check';
import { frame, frameHead, MessageReader } from './framing.ts';
import { fewMessagesOf, messagesOf } from './messages.ts';

const read = (reader: MessageReader): Uint8Array[] => {
  const messages: Uint8Array[] = [];
  for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message);
  return messages;
};

test('a frame is a flag, four bytes of length and the message', () => {
  assert.deepEqual(frame(Uint8Array.of(7, 8)), Uint8Array.of(0, 0, 0, 0, 2, 7, 8));
  assert.deepEqual(frame(new Uint8Array(0)), Uint8Array.of(0, 0, 0, 0, 0));
});

test('a head apart is the one that the frame has, whatever came before', () => {
  const sizes = [0, 1, 1024, 1024, 70_000, 0xffff_ffff, 3, 3];
  for (const bytes of sizes) {
    for (const flags of [0, 0x80, 0x80]) {
      const head = Buffer.from(frameHead(bytes, flags));
      assert.deepEqual([head[0], head.readUInt32BE(1), head.length], [flags, bytes, 5]);
    }
  }
});

test('property: messages come back however the bytes are cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(messages, fc.array(fc.nat(20)), (sent, cuts) => {
      const bytes = sent.flatMap((message) => [...frame(message)]);
      const reader = new MessageReader(64);
      const received: Uint8Array[] = [];
      let at = 0;
      for (const size of [...cuts, bytes.length]) {
        reader.push(Uint8Array.from(bytes.slice(at, at + size)));
        at += size;
        received.push(...read(reader));
      }
      reader.end();
      assert.deepEqual(
        received.map((each) => [...each]),
        sent.map((each) => [...each]),
      );
    }),
  );
});

test('a message over the limit is refused by its length, before it has come', () => {
  const reader = new MessageReader(10);
  reader.push(Uint8Array.of(0, 0, 0, 0, 10));
  assert.equal(reader.next(), undefined);
  const strict = new MessageReader(9);
  strict.push(Uint8Array.of(0, 0, 0, 0, 10));
  assert.throws(() => strict.next(), { code: 'resource_exhausted', reason: 'MESSAGE_TOO_LARGE' });
  const huge = new MessageReader(9);
  huge.push(Uint8Array.of(0, 255, 255, 255, 255));
  assert.throws(() => huge.next(), { reason: 'MESSAGE_TOO_LARGE' });
});

test('flags that belong to the ends of other protocols are refused', () => {
  for (const flag of [2, 3, 128, 255]) {
    const reader = new MessageReader(10);
    reader.push(Uint8Array.of(flag, 0, 0, 0, 0));
    assert.throws(() => reader.next(), { code: 'internal', reason: 'UNKNOWN_FLAGS' });
  }
});

test('a body that ends within a message is an error, never a shorter message', async () => {
  for (const cut of [1, 4, 5, 7]) {
    const body = wholeBody(frame(Uint8Array.of(1, 2, 3)).subarray(0, cut));
    await assert.rejects(
      fewMessagesOf(body, { limitBytes: 10 }, 1),
      { code: 'internal', reason: 'TORN_MESSAGE' },
      String(cut),
    );
  }
});

test('leaving the loop cancels the body; reading to the end does not', async () => {
  for (const [take, expected] of [
    [1, true],
    [3, false],
  ] as const) {
    let cancelled = false;
    const source = async function* (): AsyncGenerator<Uint8Array, void> {
      yield frame(Uint8Array.of(1));
      yield frame(Uint8Array.of(2));
    };
    const inner = streamBody(source());
    const body: Body = {
      size: undefined,
      trailers: undefined,
      bytes: (limit) => inner.bytes(limit),
      cancel: () => {
        cancelled = true;
      },
      [Symbol.asyncIterator]: () => inner[Symbol.asyncIterator](),
    };
    let count = 0;
    for await (const _message of messagesOf(body, { limitBytes: 10 })) if (++count === take) break;
    assert.equal(cancelled, expected);
  }
});

test('a message marked as compressed needs a name for its compression', async () => {
  const body = wholeBody(frame(Uint8Array.of(1), 1));
  await assert.rejects(fewMessagesOf(body, { limitBytes: 10 }, 1), {
    code: 'internal',
    reason: 'UNNAMED_COMPRESSION',
  });
});

test('of many messages no more are gathered than show that there are too many', async () => {
  const many = wholeBody(Buffer.concat(Array.from({ length: 100 }, () => frame(Uint8Array.of(1)))));
  assert.equal((await fewMessagesOf(many, { limitBytes: 10 }, 1)).length, 2);
});

test('the envelope that ends a stream is no message, wherever it is cut, and nothing may follow it', async () => {
  const ended = Buffer.concat([frame(Buffer.from('m')), frame(Buffer.from('end'), 2)]);
  const reading = (taken: string[]) => ({
    limitBytes: 10,
    end: { flag: 2, take: (content: Uint8Array) => void taken.push(Buffer.from(content).toString()) },
  });
  for (let cut = 0; cut <= ended.length; cut++) {
    const taken: string[] = [];
    const body = streamBody([ended.subarray(0, cut), ended.subarray(cut)]);
    const messages: string[] = [];
    for await (const message of messagesOf(body, reading(taken)))
      messages.push(Buffer.from(message).toString());
    assert.deepEqual([messages, taken], [['m'], ['end']], `cut at ${cut}`);
  }
  const behind = wholeBody(Buffer.concat([ended, frame(Buffer.from('x'))]));
  await assert.rejects(fewMessagesOf(behind, reading([]), 5), { code: 'internal', reason: 'BEHIND_THE_END' });
  await assert.rejects(fewMessagesOf(wholeBody(ended), { limitBytes: 10 }, 5), { reason: 'UNKNOWN_FLAGS' });
});

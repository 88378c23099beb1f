import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settled } from '../http1/testdata/hand-connection.ts';
import { emptyBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import type { HttpService } from '../message/http.ts';
import { errorCode } from './error-code.ts';
import { flag, frameType } from './frame.ts';
import { block, data, frame, get, headers, settings, uint32 } from './testdata/raw-frames.ts';
import { ByHand } from './testdata/server-by-hand.ts';

const ok = { status: 200, fields: new Fields(), body: emptyBody };
const waiting: HttpService = (_, call) => new Promise((_resolve, reject) => call.onCancel(reject));

describe('drain', () => {
  test('lets what is open end, refuses what comes after, and loses nothing in between', async () => {
    let answer: () => void = () => {};
    const hand = new ByHand(async ({ path }) => {
      if (path === '/slow') await new Promise<void>((resolve) => (answer = resolve));
      return ok;
    });
    await hand.begin(headers(1, get('/slow')));
    let drained = false;
    void hand.server.drain().then(() => (drained = true));
    await hand.turn();
    const [soon] = hand.log.ofType(frameType.goaway);
    assert.equal(soon?.payload.readUInt32BE(0), 0x7fff_ffff);
    hand.feed(headers(3, get('/on-its-way')));
    await hand.turn();
    assert.equal(hand.log.ofType(frameType.headers).length, 1, 'what was on its way is answered');
    const [ping] = hand.log.ofType(frameType.ping);
    assert.ok(ping !== undefined);
    hand.feed(frame(frameType.ping, flag.ack, 0, ping.payload));
    await hand.turn();
    assert.equal(hand.log.ofType(frameType.goaway)[1]?.payload.readUInt32BE(0), 3);
    hand.feed(headers(5, get('/late')));
    await hand.turn();
    assert.equal(hand.log.resetOf(5), errorCode.refusedStream);
    assert.equal(drained, false);
    answer();
    await hand.turn();
    await settled();
    assert.equal(drained, true);
    assert.equal(hand.connection.ended, true);
    assert.deepEqual(hand.ends, [undefined, undefined]);
  });

  test('does not wait for ever for a peer that answers no PING', async () => {
    const hand = new ByHand();
    await hand.begin();
    const drained = hand.server.drain();
    await hand.pass(1000);
    await drained;
    assert.equal(hand.connection.ended, true);
    await hand.pass(1000);
    assert.equal(hand.connection.destroyed, true);
  });
});

describe('a connection that breaks the protocol', () => {
  const cases: readonly (readonly [why: string, code: number, frames: readonly Buffer[]])[] = [
    ['a header block that HPACK cannot read', errorCode.compressionError, [frame(1, 5, 1, Buffer.of(0xff))]],
    ['a block that is interrupted', errorCode.protocolError, [frame(1, 1, 1, block(get())), data(1, 'x')]],
    [
      'an interrupted block of another stream',
      errorCode.protocolError,
      [frame(1, 1, 1, block(get())), frame(9, 4, 3)],
    ],
    ['an even stream', errorCode.protocolError, [headers(2, get())]],
    ['a stream that is closed', errorCode.streamClosed, [headers(3, get()), headers(1, get())]],
    ['PUSH_PROMISE', errorCode.protocolError, [frame(5, 4, 1, Buffer.alloc(8))]],
    ['a window that overflows', errorCode.flowControlError, [frame(8, 0, 0, uint32(0x7fff_ffff))]],
    ['an initial window that overflows', errorCode.flowControlError, [settings([4, 0x8000_0000])]],
    ['a frame size that may not be', errorCode.protocolError, [settings([5, 16_383])]],
    ['ENABLE_PUSH of 2', errorCode.protocolError, [settings([2, 2])]],
    ['ENABLE_CONNECT_PROTOCOL taken back', errorCode.protocolError, [settings([8, 1]), settings([8, 0])]],
  ];
  for (const [why, code, frames] of cases) {
    test(`is told so and closed: ${why}`, async () => {
      const hand = new ByHand(waiting);
      await hand.begin(...frames);
      assert.equal(hand.log.goaway, code);
      assert.equal(hand.connection.ended, true);
      await hand.pass(1000);
      assert.equal(hand.connection.destroyed, true);
    });
  }

  test('does not get past a preface that is not one', async () => {
    const hand = new ByHand();
    hand.feed(Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n'));
    await hand.turn();
    assert.equal(hand.log.goaway, errorCode.protocolError);
  });

  test('sends more than the connection window', async () => {
    const limits = { connectionWindowBytes: 65_535, streamWindowBytes: 65_535 };
    const hand = new ByHand(waiting, limits);
    await hand.begin(headers(1, get(), false), headers(3, get(), false));
    for (let sent = 0; sent <= 4; sent++) hand.feed(data(sent % 2 === 0 ? 1 : 3, Buffer.alloc(16_384)));
    await hand.turn();
    assert.equal(hand.log.goaway, errorCode.flowControlError);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { streamBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { errorCode } from './error-code.ts';
import { flag, frameType } from './frame.ts';
import { frame, get, headers, settings, uint32 } from './testdata/raw-frames.ts';
import { ByHand } from './testdata/server-by-hand.ts';

const ok = { status: 200, fields: new Fields() };

describe('a response', () => {
  test('with its chunks at hand is made no faster than the socket takes it, and goes out in few large frames', async () => {
    let made = 0;
    const source = function* (): Generator<Uint8Array> {
      for (let chunk = 0; chunk < 10_000; chunk++) {
        made++;
        yield Buffer.from(String(chunk).padStart(100, '.'));
      }
    };
    const hand = new ByHand(async () => ({ ...ok, body: streamBody(source()) }));
    await hand.begin(settings([4, 0x7fff_ffff]), frame(frameType.windowUpdate, 0, 0, uint32(0x7fff_0000)));
    hand.connection.capacity = 50_000;
    hand.feed(headers(1, get()));
    for (let turn = 0; turn < 20; turn++) await hand.turn();
    assert.ok(made <= 1000, `${made} chunks were made for a socket that takes 500`);
    while (hand.ends.length === 0) {
      hand.connection.takeAll();
      await hand.turn();
    }
    const frames = hand.log.ofType(frameType.data);
    const content = Buffer.concat(frames.map(({ payload }) => payload)).toString();
    assert.equal(made, 10_000);
    for (let chunk = 0; chunk < 10_000; chunk++)
      assert.equal(Number(content.slice(chunk * 100, chunk * 100 + 100).replaceAll('.', '')), chunk);
    assert.ok(frames.length < 130, `${frames.length} frames for a megabyte`);
    assert.ok(frames.every(({ payload }) => payload.length <= 16_384));
    assert.equal((frames.at(-1)?.flags ?? 0) & flag.endStream, flag.endStream);
  });

  test('with its chunks at hand waits for the windows of its client, and others get their turn', async () => {
    const endless = function* (): Generator<Uint8Array> {
      for (;;) yield Buffer.alloc(1000);
    };
    const hand = new ByHand(async ({ path }) => ({
      ...ok,
      body: path === '/endless' ? streamBody(endless()) : streamBody([Buffer.from('a'), Buffer.from('b')]),
    }));
    await hand.begin(
      settings([4, 200_000]),
      frame(frameType.windowUpdate, 0, 0, uint32(1_000_000)),
      headers(1, get('/endless')),
      headers(3, get('/')),
    );
    for (let turn = 0; turn < 5; turn++) await hand.turn();
    const ofStream = (id: number): Buffer =>
      Buffer.concat(
        hand.log
          .ofType(frameType.data)
          .filter(({ streamId }) => streamId === id)
          .map(({ payload }) => payload),
      );
    assert.equal(ofStream(3).toString(), 'ab');
    assert.equal(ofStream(1).length, 200_000);
    hand.feed(frame(frameType.windowUpdate, 0, 1, uint32(500)));
    await hand.turn();
    assert.equal(ofStream(1).length, 200_500);
    hand.feed(frame(frameType.rstStream, 0, 1, uint32(errorCode.cancel)));
    await hand.turn();
    assert.equal(hand.ends.length, 2);
  });

  test('with its chunks at hand that breaks off is reset', async () => {
    const broken = function* (): Generator<Uint8Array> {
      yield Buffer.from('a');
      throw new HeddleError({ code: 'internal', reason: 'BROKEN', message: 'broken' });
    };
    const hand = new ByHand(async () => ({ ...ok, body: streamBody(broken()) }));
    await hand.begin(headers(1, get()));
    await hand.turn();
    assert.equal(hand.log.resetOf(1), errorCode.internalError);
    assert.equal(hand.ends[0]?.reason, 'BROKEN');
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { emptyBody, streamBody, wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import type { HttpService } from '../message/http.ts';
import { errorCode } from './error-code.ts';
import { clientPreface, frameType } from './frame.ts';
import { block, data, frame, get, headers, settings, uint32 } from './testdata/raw-frames.ts';
import { ByHand, nothingService } from './testdata/server-by-hand.ts';

const waiting: HttpService = (_, call) => new Promise((_resolve, reject) => call.onCancel(reject));
const large: HttpService = async () => ({
  status: 200,
  fields: new Fields(),
  body: wholeBody(Buffer.alloc(200_000)),
});

describe('what takes too long', () => {
  test('settings that are not acknowledged: SETTINGS_TIMEOUT', async () => {
    const hand = new ByHand();
    hand.feed(Buffer.concat([clientPreface, settings()]));
    await hand.pass(9000);
    assert.equal(hand.log.goaway, undefined);
    await hand.pass(4000);
    assert.equal(hand.log.goaway, errorCode.settingsTimeout);
    assert.equal(hand.server.abuse.slowHeaders, 1);
  });

  test('a connection that says nothing', async () => {
    const hand = new ByHand();
    await hand.pass(13_000);
    assert.equal(hand.log.goaway, errorCode.settingsTimeout);
    assert.equal(hand.connection.destroyed, true);
  });

  test('a header block that does not end', async () => {
    const hand = new ByHand();
    await hand.begin(frame(frameType.headers, 1, 1, block(get())));
    await hand.pass(9000);
    assert.equal(hand.log.goaway, undefined);
    await hand.pass(4000);
    assert.equal(hand.log.goaway, errorCode.enhanceYourCalm);
    assert.equal(hand.server.abuse.slowHeaders, 1);
  });

  test('content that the service waits for: its stream is reset, the connection goes on', async () => {
    const hand = new ByHand();
    await hand.begin(headers(1, get(), false));
    await hand.pass(40_000);
    hand.feed(data(1, 'x'));
    await hand.pass(40_000);
    assert.equal(hand.log.resetOf(1), undefined, 'each byte begins it anew');
    await hand.pass(30_000);
    assert.equal(hand.log.resetOf(1), errorCode.cancel);
    assert.equal(hand.ends[0]?.reason, 'BODY_STALLED');
    assert.equal(hand.server.abuse.stalledBodies, 1);
    assert.equal(hand.log.goaway, undefined);
  });

  test('not: content that the service does not ask for, or comes while it answers', async () => {
    const unread = new ByHand(waiting);
    await unread.begin(headers(1, get(), false));
    await unread.pass(200_000);
    assert.equal(unread.log.resetOf(1), undefined);
    const talking = new ByHand(async ({ body }) => ({
      status: 200,
      fields: new Fields(),
      body: streamBody(body),
    }));
    await talking.begin(headers(1, get(), false));
    await talking.pass(200_000);
    assert.equal(talking.log.resetOf(1), undefined, 'both directions of a conversation may be silent');
  });

  test('a connection whose calls are all over between two looks is not idle', async () => {
    const hand = new ByHand();
    await hand.begin();
    for (let second = 0; second < 400; second++) {
      hand.feed(headers(2 * second + 1, get()));
      await hand.pass(1000);
    }
    assert.equal(hand.log.goaway, undefined);
    assert.equal(hand.ends.length, 400);
    await hand.pass(310_000);
    assert.equal(hand.log.goaway, errorCode.noError, 'now it is');
  });

  test('a stream window that stays shut: the stream is reset', async () => {
    const hand = new ByHand(large);
    await hand.begin(settings([4, 0]), headers(1, get()));
    await hand.pass(50_000);
    assert.equal(hand.log.resetOf(1), undefined);
    await hand.pass(20_000);
    assert.equal(hand.log.resetOf(1), errorCode.cancel);
    assert.equal(hand.ends[0]?.reason, 'SEND_STALLED');
    assert.equal(hand.server.abuse.stalledSends, 1);
    assert.equal(hand.log.goaway, undefined);
  });

  test('not: a stream window that opens by a byte now and then', async () => {
    const hand = new ByHand(large);
    await hand.begin(settings([4, 0]), headers(1, get()));
    for (let minute = 0; minute < 5; minute++) {
      hand.feed(frame(frameType.windowUpdate, 0, 1, uint32(1)));
      await hand.pass(50_000);
    }
    assert.equal(hand.log.resetOf(1), undefined);
  });

  test('zero windows on all streams: the connection is closed', async () => {
    const hand = new ByHand(large);
    const requests = Array.from({ length: 100 }, (_, at) => headers(2 * at + 1, get()));
    await hand.begin(settings([4, 0]), ...requests);
    assert.equal(hand.server.activeStreams, 100);
    await hand.pass(70_000);
    assert.equal(hand.log.goaway, errorCode.enhanceYourCalm);
    assert.equal(hand.server.activeStreams, 0);
    assert.equal(hand.ends.length, 100);
  });

  test('a connection window that stays shut: the connection is closed', async () => {
    const hand = new ByHand(large);
    await hand.begin(settings([4, 0x7fff_ffff]), headers(1, get()));
    await hand.pass(70_000);
    assert.equal(hand.log.goaway, errorCode.enhanceYourCalm);
    assert.equal(hand.server.abuse.stalledSends, 1);
  });

  test('a socket that takes nothing: the connection is dropped', async () => {
    const hand = new ByHand(large);
    await hand.begin(settings([4, 0x7fff_ffff]), frame(frameType.windowUpdate, 0, 0, uint32(0x7fff_0000)));
    hand.connection.capacity = 1000;
    hand.feed(headers(1, get()));
    await hand.pass(50_000);
    assert.equal(hand.connection.destroyed, false);
    await hand.pass(20_000);
    assert.equal(hand.connection.destroyed, true);
    assert.equal(hand.server.abuse.stalledSends, 1);
    assert.notEqual(hand.ends[0], undefined);
  });

  test('a connection without streams: it is drained', async () => {
    const hand = new ByHand(nothingService);
    await hand.begin(headers(1, get()));
    await hand.pass(299_000);
    assert.equal(hand.log.goaway, undefined);
    await hand.pass(5000);
    assert.equal(hand.log.goaway, errorCode.noError);
    await hand.pass(2000);
    assert.equal(hand.connection.destroyed, true);
  });

  test('nothing is left behind: no timer outlives the connection', async () => {
    const hand = new ByHand(async () => ({ status: 200, fields: new Fields(), body: emptyBody }));
    await hand.begin(headers(1, get()));
    assert.ok(hand.runtime.time.pending > 0);
    hand.connection.close();
    await hand.turn();
    assert.equal(hand.runtime.time.pending, 0);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { emptyBody, wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { errorCode } from './error-code.ts';
import { frameType } from './frame.ts';
import { frame, get, headers, uint32 } from './testdata/raw-frames.ts';
import { floods, odd, waiting } from './testdata/floods.ts';
import { ByHand, nothingService } from './testdata/server-by-hand.ts';

describe('floods', () => {
  for (const { name, counter, atMost, first = [], turn, service = nothingService, writtenBytes } of floods) {
    test(`${name}: closed with ENHANCE_YOUR_CALM, and counted`, async () => {
      const hand = new ByHand(service);
      await hand.begin(...first);
      let turns = 0;
      for (; turns < 5000 && !hand.connection.ended; turns++) hand.feed(...turn(turns));
      await hand.turn();
      assert.equal(hand.log.goaway, errorCode.enhanceYourCalm);
      assert.ok(turns <= atMost, `${turns} turns`);
      assert.ok(hand.server.abuse[counter] > 0);
      assert.equal(hand.server.activeStreams, 0);
      assert.ok(
        hand.connection.written.length < writtenBytes,
        `${hand.connection.written.length} bytes written`,
      );
    });
  }

  test('what the peer does not read does not pile up', async () => {
    const hand = new ByHand(nothingService, { controlBurst: 1_000_000 });
    await hand.begin();
    hand.connection.capacity = 1000;
    const pings = Buffer.concat(Array<Buffer>(1000).fill(frame(frameType.ping, 0, 0, Buffer.alloc(8))));
    for (let turn = 0; turn < 200 && !hand.connection.ended; turn++) {
      hand.feed(pings);
      await hand.turn();
    }
    assert.equal(hand.connection.ended, true);
    assert.equal(hand.server.abuse.unreadOutput, 1);
    assert.ok(hand.connection.pendingBytes < 1_200_000, `${hand.connection.pendingBytes} bytes are queued`);
  });

  test('services that do not hear of a reset are not started without end', async () => {
    let running = 0;
    const hand = new ByHand(
      () => {
        running++;
        return new Promise(() => {});
      },
      { resetBurst: 1_000_000 },
    );
    await hand.begin();
    for (let turn = 0; turn < 2000 && !hand.connection.ended; turn++) {
      hand.feed(headers(odd(turn), get()));
      await hand.turn();
      hand.feed(frame(frameType.rstStream, 0, odd(turn), uint32(errorCode.cancel)));
    }
    assert.equal(running, 200);
    assert.equal(hand.log.goaway, errorCode.enhanceYourCalm);
  });
});

describe('what is not a flood', () => {
  test('a long life of small requests with a PING and two WINDOW_UPDATEs each', async () => {
    const body = wholeBody(Buffer.from('hello'), Fields.of({ 'grpc-status': '0' }));
    const hand = new ByHand(async () => ({ status: 200, fields: new Fields(), body }));
    await hand.begin();
    for (let turn = 0; turn < 3000; turn++) {
      const window = frame(frameType.windowUpdate, 0, 0, uint32(5));
      hand.feed(headers(odd(turn), get()), frame(frameType.ping, 0, 0, Buffer.alloc(8)), window, window);
      if (turn % 50 === 0) await hand.turn();
    }
    await hand.turn();
    assert.equal(hand.log.goaway, undefined);
    assert.equal(hand.ends.length, 3000);
  });

  test('a hundred calls whose deadline passes at the same moment', async () => {
    const hand = new ByHand(waiting);
    await hand.begin();
    for (let turn = 0; turn < 100; turn++) hand.feed(headers(odd(turn), get()));
    await hand.turn();
    for (let turn = 0; turn < 100; turn++) hand.feed(frame(3, 0, odd(turn), uint32(errorCode.cancel)));
    await hand.turn();
    assert.equal(hand.log.goaway, undefined);
    assert.equal(hand.server.abuse.resets, 100);
  });

  test('ten thousand answers of all kinds: nothing is kept', async () => {
    const hand = new ByHand(async () => ({ status: 200, fields: new Fields(), body: emptyBody }));
    await hand.begin();
    for (let turn = 0; turn < 10_000; turn++) {
      hand.feed(headers(odd(turn), [...get(`/${turn}`), ['x-unique', String(turn)]]));
      if (turn % 100 === 99) await hand.turn();
    }
    await hand.turn();
    assert.equal(hand.server.activeStreams, 0);
    assert.equal(hand.ends.length, 10_000);
  });
});

// What may change or come late in the middle of a connection (RFC 9113 sections 5.1, 6.1, 6.5.3, 6.8).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import type { HttpService } from '../message/http.ts';
import { errorCode } from './error-code.ts';
import { flag, frameType, largest31 } from './frame.ts';
import { setting } from './settings.ts';
import { ClientByHand } from './testdata/client-by-hand.ts';
import { block, data, frame, get, headers, settings, uint32 } from './testdata/raw-frames.ts';
import { ByHand } from './testdata/server-by-hand.ts';

const ok: [string, string][] = [[':status', '200']];
const post: [string, string][] = [[':method', 'POST'], ...get().slice(1)];

function echo(seen: string[] = []): HttpService {
  return async ({ body, fields }) => {
    const content = await body.bytes(1_000_000);
    seen.push(Buffer.from(content).toString('latin1'));
    return {
      status: 200,
      fields: Fields.of({ 'x-a': fields.get('x-a') ?? 'none' }),
      body: wholeBody(content),
    };
  };
}

function padded(streamId: number, content: string, padding: number, endStream: boolean): Buffer {
  const payload = Buffer.concat([Buffer.of(padding), Buffer.from(content), Buffer.alloc(padding)]);
  return frame(frameType.data, flag.padded | (endStream ? flag.endStream : 0), streamId, payload);
}

function goaway(lastStreamId: number): Buffer {
  return frame(frameType.goaway, 0, 0, Buffer.concat([uint32(lastStreamId), uint32(errorCode.noError)]));
}

describe('padding', () => {
  test('is no content, and counts for the windows: it is given back', async () => {
    const seen: string[] = [];
    const hand = new ByHand(echo(seen));
    await hand.begin(headers(1, post, false));
    const turns = 3000;
    for (let turn = 0; turn < turns; turn++) {
      hand.feed(padded(1, 'x', 255, turn === turns - 1));
      if (turn % 50 === 0) await hand.turn();
    }
    await hand.turn();
    assert.equal(hand.log.goaway, undefined, 'the padding alone is more than the windows hold');
    assert.equal(seen[0], 'x'.repeat(turns));
  });

  test('of the whole payload, and of HEADERS, is allowed', async () => {
    const seen: string[] = [];
    const hand = new ByHand(echo(seen));
    const head = Buffer.concat([Buffer.of(7), block(post), Buffer.alloc(7)]);
    await hand.begin(frame(frameType.headers, flag.padded | flag.endHeaders, 1, head));
    hand.feed(padded(1, '', 100, false), padded(1, 'a', 0, true));
    await hand.turn();
    assert.deepEqual(seen, ['a']);
  });

  test('longer than its frame breaks the connection', async () => {
    const hand = new ByHand(echo());
    await hand.begin(headers(1, post, false), frame(frameType.data, flag.padded, 1, Buffer.of(5, 1, 2)));
    assert.equal(hand.log.goaway, errorCode.protocolError);
  });
});

describe('SETTINGS in the middle of a connection', () => {
  test('fewer streams than are open: none is opened before there is room', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const first = [hand.send(), hand.send(), hand.send()];
    await hand.turn();
    hand.feed(settings([setting.maxConcurrentStreams, 1]));
    await hand.turn();
    assert.deepEqual([hand.client.active, hand.client.available], [3, 0]);
    const refused = hand.send();
    await hand.turn();
    assert.ok(refused.result?.ok === false && !refused.result.error.sent);
    hand.feed(headers(1, ok), headers(3, ok), headers(5, ok));
    await hand.turn();
    assert.ok(first.every(({ result }) => result?.ok === true));
    assert.equal(hand.client.available, 1);
  });

  test('a smaller table for HPACK, then a larger: both sides go on understanding each other', async () => {
    const hand = new ByHand(echo());
    const ask = (id: number): Buffer => headers(id, [...get(), ['x-a', 'value']]);
    await hand.begin(ask(1), ask(3));
    hand.feed(settings([setting.headerTableSize, 0]), ask(5), ask(7));
    await hand.turn();
    hand.feed(settings([setting.headerTableSize, 4096]), ask(9), ask(11));
    await hand.turn();
    const answers = hand.log.ofType(frameType.headers);
    assert.equal(answers.length, 6);
    for (const answer of answers)
      assert.deepEqual(
        hand.log.fields(answer).filter(([name]) => name !== 'content-length' && name !== 'date'),
        [
          [':status', '200'],
          ['x-a', 'value'],
        ],
      );
    const [, , third] = answers;
    assert.equal((third?.payload[0] ?? 0) & 0xe0, 0x20, 'the change is said first (RFC 7541 section 4.2)');
  });

  test('larger frames are not needed, smaller than 16384 are no setting', async () => {
    const large: HttpService = async () => ({
      status: 200,
      fields: new Fields(),
      body: wholeBody(Buffer.alloc(60_000)),
    });
    const hand = new ByHand(large);
    await hand.begin(settings([setting.maxFrameSize, 1_000_000]), headers(1, get()));
    const sizes = hand.log.ofType(frameType.data).map(({ payload }) => payload.length);
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      60_000,
    );
    hand.feed(settings([setting.maxFrameSize, 16_383]));
    await hand.turn();
    assert.equal(hand.log.goaway, errorCode.protocolError);
  });
});

describe('frames that come late', () => {
  test('RST_STREAM, WINDOW_UPDATE and PRIORITY for a stream that is over do nothing', async () => {
    const hand = new ByHand(echo());
    await hand.begin(headers(1, get()));
    hand.feed(
      frame(frameType.rstStream, 0, 1, uint32(errorCode.cancel)),
      frame(frameType.windowUpdate, 0, 1, uint32(100)),
      frame(frameType.priority, 0, 1, Buffer.alloc(5)),
      frame(frameType.priority, 0, 99, Buffer.alloc(5)),
      headers(3, get()),
    );
    await hand.turn();
    assert.equal(hand.log.goaway, undefined);
    assert.equal(hand.log.ofType(frameType.headers).length, 2);
  });

  test('RST_STREAM with NO_ERROR behind a complete answer takes nothing from it', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send();
    await hand.turn();
    hand.feed(headers(1, ok, false), data(1, 'all', true), frame(frameType.rstStream, 0, 1, uint32(0)));
    await hand.turn();
    assert.ok(sent.result?.ok === true);
    assert.equal(Buffer.from(await sent.result.value.body.bytes(10)).toString(), 'all');
    assert.deepEqual(sent.outcome, { error: undefined });
  });
});

describe('a server that goes in two steps', () => {
  test('gets no new streams after the first GOAWAY, and finishes those below the second', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const before = [hand.send(), hand.send()];
    await hand.turn();
    hand.feed(goaway(largest31));
    await hand.turn();
    assert.deepEqual([hand.client.state, hand.client.available, hand.client.active], ['draining', 0, 2]);
    hand.feed(goaway(1), headers(1, ok));
    await hand.turn();
    const [first, second] = before;
    assert.ok(first?.result?.ok === true);
    assert.ok(second?.result?.ok === false && !second.result.error.sent, 'it may be sent again elsewhere');
    assert.equal(hand.connection.ended, true);
  });
});

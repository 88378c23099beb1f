import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorCode } from './error-code.ts';
import { flag, frameType } from './frame.ts';
import { ClientByHand } from './testdata/client-by-hand.ts';
import { data, frame, get, headers, type RawFrame, settings } from './testdata/raw-frames.ts';
import { ByHand } from './testdata/server-by-hand.ts';

const limits = { keepaliveMs: 10_000, keepaliveTimeoutMs: 3000 };
const ok: [string, string][] = [[':status', '200']];

async function pass(hand: ClientByHand, ms: number): Promise<void> {
  await hand.runtime.time.advance(ms);
  await hand.turn();
}

const pings = (hand: ClientByHand): RawFrame[] => hand.log.ofType(frameType.ping);

function answer(hand: ClientByHand): void {
  const last = pings(hand).at(-1);
  assert.ok(last !== undefined);
  hand.feed(frame(frameType.ping, flag.ack, 0, last.payload));
}

describe('a client that keeps its connection alive', () => {
  test('asks after a silence, and goes on when it is answered', async () => {
    const hand = new ClientByHand(limits);
    await hand.begin();
    hand.send();
    await pass(hand, 9000);
    assert.equal(pings(hand).length, 0);
    await pass(hand, 1000);
    assert.equal(pings(hand).length, 1);
    await pass(hand, 2000);
    answer(hand);
    await pass(hand, 9000);
    assert.equal(pings(hand).length, 1);
    assert.equal(hand.client.state, 'open');
    await pass(hand, 1000);
    assert.equal(pings(hand).length, 2);
  });

  test('asks again after each silence, however long it would wait for an answer', async () => {
    const hand = new ClientByHand({ keepaliveMs: 1000, keepaliveTimeoutMs: 20_000 });
    await hand.begin();
    hand.send();
    for (let turn = 1; turn <= 5; turn++) {
      await pass(hand, 1000);
      assert.equal(pings(hand).length, turn);
      answer(hand);
      await hand.turn();
    }
  });

  test('does not ask while something comes', async () => {
    const hand = new ClientByHand(limits);
    await hand.begin();
    hand.send();
    await hand.turn();
    hand.feed(headers(1, ok, false));
    for (let turn = 0; turn < 10; turn++) {
      await pass(hand, 6000);
      hand.feed(data(1, 'x'));
    }
    assert.equal(pings(hand).length, 0);
  });

  test('drops a connection on which nothing follows the question', async () => {
    const hand = new ClientByHand(limits);
    await hand.begin();
    const sent = hand.send();
    await pass(hand, 10_000);
    await pass(hand, 2999);
    assert.equal(sent.outcome, undefined);
    await pass(hand, 1);
    assert.ok(sent.result?.ok === false);
    assert.ok(sent.result.error.is('unavailable', 'KEEPALIVE_TIMEOUT'));
    assert.equal(sent.result.error.sent, true);
    assert.equal(hand.connection.destroyed, true);
    hand.connection.close();
    await hand.turn();
    assert.equal(hand.runtime.time.pending, 0, 'no timer is left');
  });

  test('takes anything that comes for a sign of life', async () => {
    const hand = new ClientByHand(limits);
    await hand.begin();
    hand.send();
    await pass(hand, 10_000);
    hand.feed(settings());
    await pass(hand, 5000);
    assert.equal(hand.client.state, 'open');
  });

  test('asks on an idle connection only where it may', async () => {
    const hand = new ClientByHand(limits);
    await hand.begin();
    await pass(hand, 60_000);
    assert.equal(pings(hand).length, 0);
    const idle = new ClientByHand({ ...limits, keepaliveIdleMs: 30_000 });
    await idle.begin();
    await pass(idle, 29_000);
    assert.equal(pings(idle).length, 0);
    await pass(idle, 1000);
    assert.equal(pings(idle).length, 1);
  });

  test('never asks unless it is told to', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    hand.send();
    await pass(hand, 3_600_000);
    assert.equal(pings(hand).length, 0);
  });

  test('knows from the server’s GOAWAY that it asks too often', async () => {
    const hand = new ClientByHand(limits);
    await hand.begin();
    const why = Buffer.concat([
      Buffer.of(0, 0, 0, 0, 0, 0, 0, errorCode.enhanceYourCalm),
      Buffer.from('too_many_pings'),
    ]);
    hand.feed(frame(frameType.goaway, 0, 0, why));
    await hand.turn();
    assert.equal(hand.client.tooManyPings, true);
  });
});

describe('a server that minds PINGs', () => {
  const strict = { minPingMs: 10_000, minIdlePingMs: 60_000 };
  const ping = frame(frameType.ping, 0, 0, Buffer.alloc(8));
  const why = (hand: ByHand): string =>
    hand.log.ofType(frameType.goaway).at(-1)?.payload.toString('latin1', 8) ?? '';

  test('closes the connection at the third that comes too soon', async () => {
    const hand = new ByHand(() => new Promise(() => {}), strict);
    await hand.begin(headers(1, get()));
    for (const [turn, expected] of ['', '', '', 'too_many_pings'].entries()) {
      hand.feed(ping);
      await hand.pass(5000);
      assert.equal(why(hand), expected, `PING ${turn + 1}`);
    }
    assert.equal(hand.log.goaway, errorCode.enhanceYourCalm);
    assert.equal(hand.server.abuse.pings, 4);
  });

  test('lets a client ask as often as it says', async () => {
    const hand = new ByHand(() => new Promise(() => {}), strict);
    await hand.begin(headers(1, get()));
    for (let turn = 0; turn < 10; turn++) {
      hand.feed(ping);
      await hand.pass(10_000);
    }
    assert.equal(hand.log.goaway, undefined);
  });

  test('wants them rarer on an idle connection', async () => {
    const hand = new ByHand(undefined, strict);
    await hand.begin();
    for (let turn = 0; turn < 4; turn++) {
      hand.feed(ping);
      await hand.pass(20_000);
    }
    assert.equal(why(hand), 'too_many_pings');
  });

  test('forgets what was too soon when there is work', async () => {
    const hand = new ByHand(undefined, strict);
    await hand.begin();
    for (let turn = 0; turn < 10; turn++) {
      hand.feed(ping, headers(2 * turn + 1, get()));
      await hand.pass(100);
    }
    assert.equal(hand.log.goaway, undefined);
  });

  test('has only the budget for frames without work by default', async () => {
    const hand = new ByHand();
    await hand.begin();
    hand.feed(...Array.from({ length: 900 }, () => ping));
    await hand.turn();
    assert.equal(hand.log.goaway, undefined);
    hand.feed(...Array.from({ length: 200 }, () => ping));
    await hand.turn();
    assert.equal(why(hand), 'too_many_pings');
  });
});

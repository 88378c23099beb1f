import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { emptyBody, wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import type { HttpService } from '../message/http.ts';
import type { AbuseCounters } from './abuse-guard.ts';
import { errorCode } from './error-code.ts';
import { flag, frameType } from './frame.ts';
import { block, data, frame, get, headers, settings, uint32 } from './testdata/raw-frames.ts';
import { ByHand, nothingService } from './testdata/server-by-hand.ts';

const waiting: HttpService = (_, call) => new Promise((_resolve, reject) => call.onCancel(reject));
const odd = (turn: number): number => 2 * turn + 1;

interface Flood {
  readonly name: string;
  readonly counter: keyof AbuseCounters;
  /** After at most so many turns the connection must be closed. */
  readonly atMost: number;
  readonly first?: readonly Buffer[];
  readonly turn: (turn: number) => readonly Buffer[];
  readonly service?: HttpService;
  /** How much the server may have written for all of it. */
  readonly writtenBytes: number;
}

const floods: readonly Flood[] = [
  {
    name: 'rapid reset (CVE-2023-44487)',
    counter: 'resets',
    atMost: 201,
    turn: (turn) => [
      headers(odd(turn), get()),
      frame(frameType.rstStream, 0, odd(turn), uint32(errorCode.cancel)),
    ],
    writtenBytes: 1000,
  },
  {
    name: 'resets by a stream window that overflows',
    counter: 'faults',
    atMost: 51,
    turn: (turn) => [headers(odd(turn), get(), false), frame(8, 0, odd(turn), uint32(0x7fff_ffff))],
    service: waiting,
    writtenBytes: 2000,
  },
  {
    name: 'resets by a wrong content-length',
    counter: 'faults',
    atMost: 51,
    turn: (turn) => [
      headers(odd(turn), [...get(), ['content-length', '5']], false),
      data(odd(turn), 'x', true),
    ],
    writtenBytes: 2000,
  },
  {
    name: 'resets by malformed requests',
    counter: 'faults',
    atMost: 51,
    turn: (turn) => [headers(odd(turn), [...get(), ['connection', 'close']])],
    writtenBytes: 2000,
  },
  {
    name: 'streams over the limit, again and again',
    counter: 'refusedStreams',
    atMost: 151,
    turn: (turn) => [headers(odd(turn), get())],
    service: waiting,
    writtenBytes: 3000,
  },
  {
    name: 'CONTINUATION',
    counter: 'continuations',
    atMost: 17,
    first: [frame(frameType.headers, 0, 1, block(get()))],
    turn: () => [frame(frameType.continuation, 0, 1, block([['x-a', 'b'.repeat(100)]]))],
    writtenBytes: 500,
  },
  {
    name: 'empty CONTINUATION',
    counter: 'continuations',
    atMost: 17,
    first: [frame(frameType.headers, 0, 1, block(get()))],
    turn: () => [frame(frameType.continuation, 0, 1)],
    writtenBytes: 500,
  },
  {
    name: 'a header block without end',
    counter: 'continuations',
    atMost: 5,
    first: [frame(frameType.headers, 0, 1, block(get()))],
    turn: () => [frame(frameType.continuation, 0, 1, Buffer.alloc(16_384))],
    writtenBytes: 500,
  },
  {
    name: 'SETTINGS',
    counter: 'settings',
    atMost: 101,
    turn: (turn) => [settings([4, 1000 + turn])],
    writtenBytes: 2000,
  },
  {
    name: 'SETTINGS acknowledgements that nobody asked for',
    counter: 'settings',
    atMost: 1001,
    turn: () => [frame(frameType.settings, flag.ack, 0)],
    writtenBytes: 500,
  },
  {
    name: 'PING',
    counter: 'pings',
    atMost: 1001,
    turn: () => [frame(frameType.ping, 0, 0, Buffer.alloc(8))],
    writtenBytes: 18_000,
  },
  {
    name: 'answers to PINGs that were never sent',
    counter: 'pings',
    atMost: 1001,
    turn: () => [frame(frameType.ping, flag.ack, 0, Buffer.alloc(8))],
    writtenBytes: 500,
  },
  {
    name: 'PRIORITY',
    counter: 'priorities',
    atMost: 1001,
    turn: (turn) => [frame(frameType.priority, 0, odd(turn), Buffer.alloc(5))],
    writtenBytes: 500,
  },
  {
    name: 'PRIORITY_UPDATE',
    counter: 'priorities',
    atMost: 1001,
    turn: () => [frame(frameType.priorityUpdate, 0, 0, Buffer.from('\0\0\0\u0001u=1'))],
    writtenBytes: 500,
  },
  {
    name: 'frames of unknown types',
    counter: 'strays',
    atMost: 1001,
    turn: () => [frame(0xee, 0, 0, Buffer.alloc(100))],
    writtenBytes: 500,
  },
  {
    name: 'WINDOW_UPDATE',
    counter: 'windowUpdates',
    atMost: 1001,
    turn: () => [frame(frameType.windowUpdate, 0, 0, uint32(1))],
    writtenBytes: 500,
  },
  {
    name: 'empty DATA',
    counter: 'emptyData',
    atMost: 1006,
    first: [headers(1, get(), false)],
    turn: () => [data(1, '')],
    service: waiting,
    writtenBytes: 500,
  },
  {
    name: 'padding without content',
    counter: 'emptyData',
    atMost: 1006,
    first: [headers(1, get(), false)],
    turn: () => [frame(frameType.data, flag.padded, 1, Buffer.concat([Buffer.of(255), Buffer.alloc(255)]))],
    service: waiting,
    writtenBytes: 20_000,
  },
  {
    name: 'RST_STREAM on streams that are gone',
    counter: 'strays',
    atMost: 1006,
    first: [headers(1, get())],
    turn: () => [frame(frameType.rstStream, 0, 1, uint32(errorCode.cancel))],
    writtenBytes: 500,
  },
  {
    name: 'HPACK bomb: one large field, referred to over and over',
    counter: 'largeHeaders',
    atMost: 52,
    first: [frame(frameType.headers, 5, 1, bomb(4000))],
    turn: (turn) => [frame(frameType.headers, 5, odd(turn + 1), Buffer.alloc(16_000, 0xbe))],
    writtenBytes: 2000,
  },
  {
    name: 'cookie crumbs by the thousand',
    counter: 'largeHeaders',
    atMost: 52,
    turn: (turn) => [headers(odd(turn), [...get(), ...Array<[string, string]>(500).fill(['cookie', 'a=b'])])],
    writtenBytes: 2000,
  },
];

/** A block that puts one field of so many bytes into the decoder's table. */
function bomb(bytes: number): Buffer {
  const length = bytes - 127;
  const value = Buffer.concat([
    Buffer.of(0x7f, (length & 0x7f) | 0x80, length >> 7),
    Buffer.alloc(bytes, 'v'),
  ]);
  return Buffer.concat([block(get()), Buffer.of(0x40, 3), Buffer.from('x-b'), value]);
}

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

// What abuses HTTP/2 without breaking it; run by hand in virtual time, and over sockets as a contract.
import type { HttpService } from '../../message/http.ts';
import type { AbuseCounters } from '../abuse-guard.ts';
import { errorCode } from '../error-code.ts';
import { flag, frameType } from '../frame.ts';
import { block, data, frame, get, headers, settings, uint32 } from './raw-frames.ts';

/** Answers nothing until the call is given up. */
export const waiting: HttpService = (_, call) => new Promise((_resolve, reject) => call.onCancel(reject));
/** The stream of that turn. */
export const odd = (turn: number): number => 2 * turn + 1;

/** One of them; `turn` is repeated until the connection is closed with ENHANCE_YOUR_CALM. */
export interface Flood {
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

/** All of them. */
export const floods: readonly Flood[] = [
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

// Frames of HTTP/2 from a grammar with bad habits.
import { flag, frameType } from '../../packages/wire/src/http2/frame.ts';
import { HpackEncoder } from '../../packages/wire/src/http2/hpack/encoder.ts';
import { block, frame, uint32 } from '../../packages/wire/src/http2/testdata/raw-frames.ts';
import type { Chance } from '../chance.ts';

type Field = readonly [name: string, value: string];

const streams = [1, 3, 5, 7, 0, 2, 9, 101, 0x7fff_ffff, 0x8000_0001] as const;
const increments = [1, 100, 65_535, 0x7fff_ffff, 0, 0x8000_0001] as const;
const sizes = [0, 1, 5, 100, 16_384, 16_385] as const;
const settingPairs = [
  [4, 65_535],
  [1, 4096],
  [3, 100],
  [4, 0],
  [4, 1],
  [1, 0],
  [1, 100],
  [2, 0],
  [5, 16_384],
  [6, 100],
  [8, 1],
  [9, 1],
  [4, 0x7fff_ffff],
  [4, 0x8000_0000],
  [5, 100],
  [5, 16_777_216],
  [2, 2],
  [8, 2],
  [0xeee, 7],
] as const;

const good: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'test'],
];
const pseudoFields: readonly Field[] = [
  [':method', 'POST'],
  [':path', '/a?b'],
  [':method', 'HEAD'],
  [':path', '/x'],
  [':authority', 'a.example:80'],
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  [':method', 'G T'],
  [':method', ''],
  [':path', ''],
  [':path', 'x'],
  [':path', '*'],
  [':path', '/ '],
  [':path', '/#f'],
  [':path', '/\x80'],
  [':scheme', 'https'],
  [':scheme', 'ftp'],
  [':scheme', ''],
  [':authority', ''],
  [':authority', 'a@b'],
  [':authority', 'a b'],
  [':status', '200'],
  [':other', 'x'],
  [':', 'x'],
];
const plainFields: readonly Field[] = [
  ['x', 'y'],
  ['cookie', 'a=b'],
  ['content-length', '5'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
  ['host', 'test'],
  ['x', ''],
  ['expect', '100-continue'],
  ['content-length', '0'],
  ['content-length', '6'],
  ['content-length', '05'],
  ['content-length', '5, 5'],
  ['content-length', '-1'],
  ['content-length', ''],
  ['host', 'other'],
  ['te', 'gzip'],
  ['connection', 'close'],
  ['connection', 'x'],
  ['keep-alive', '1'],
  ['transfer-encoding', 'chunked'],
  ['upgrade', 'h2c'],
  ['proxy-connection', 'close'],
  ['X', 'y'],
  ['x y', 'z'],
  ['', 'x'],
  ['x', ' y'],
  ['x', 'y\t'],
  ['x', 'a\r\nb'],
  ['x', 'a\0b'],
  ['x', '\x80\xff'],
  ['x', '\x01'],
  ['__proto__', 'x'],
  ['x-long', 'v'.repeat(3000)],
];
const statuses = [
  '200',
  '100',
  '103',
  '204',
  '304',
  '101',
  '99',
  '1000',
  '',
  '20',
  'abc',
  '+200',
  '600',
] as const;

/** Fields of a request head. */
export function requestFields(chance: Chance): Field[] {
  const head = good.filter(() => !chance.rarely(20));
  for (let left = chance.below(3); left > 0; left--) {
    const [name, value] = chance.mostly(5, pseudoFields, 3);
    const at = head.findIndex(([other]) => other === name);
    if (at >= 0 && !chance.rarely(8)) head[at] = [name, value];
    else head.splice(chance.below(head.length + 1), 0, [name, value]);
  }
  const fields = [...head, ...chance.some(4, () => chance.mostly(2, plainFields, 2))];
  if (chance.rarely(20)) fields.reverse();
  return fields;
}

/** Fields of a response head. */
export function responseFields(chance: Chance): Field[] {
  const fields: Field[] = chance.some(3, () => chance.mostly(5, plainFields, 4));
  if (!chance.rarely(15)) fields.unshift([':status', chance.mostly(5, statuses, 4)]);
  if (chance.rarely(30)) fields.push(chance.pick([...good, ...pseudoFields]));
  return fields;
}

/** Encodes the header blocks of one connection: most of them with a table that both sides share. */
export class Blocks {
  readonly #encoder = new HpackEncoder(4096);
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  of(fields: readonly Field[]): Buffer {
    const chance = this.#chance;
    if (chance.oneIn(2)) return block(fields);
    if (chance.rarely(12)) return Buffer.from(wildBlock(chance));
    const bound = fields.reduce((sum, [name, value]) => sum + HpackEncoder.bound(name, value), 16);
    const out = Buffer.alloc(bound);
    let at = 0;
    for (const [name, value] of fields) at = this.#encoder.field(out, at, name, value);
    return out.subarray(0, at);
  }
}

/** A header block made of what HPACK has: indexes, literals of all kinds, sizes of the table, and mistakes. */
export function wildBlock(chance: Chance): Uint8Array {
  const parts = Array.from({ length: 1 + chance.below(6) }, () => wildField(chance));
  return Buffer.concat(parts);
}

const strings = ['x', 'y', 'a-b', '', 'X', 'a b', ':path', 'content-length', '\r\n', '\x80'] as const;
const codedStrings = [
  'f1e3c2e5f23a6ba0ab90f4ff',
  'a8eb10649cbf',
  '25a849e95ba97d7f',
  'ff',
  'fffffffc',
  '1f',
  '',
] as const;

function wildField(chance: Chance): Uint8Array {
  const index = chance.mostly(
    4,
    [2, 8, 62, 63, 0, 61, 64, 70, 126, 127, 128, 300, 1_000_000, 2 ** 28, 2 ** 31],
    3,
  );
  switch (chance.below(8)) {
    case 0:
    case 1:
      return integer(0x80, 7, index);
    case 2:
    case 3:
      return Buffer.concat([Buffer.of(0x40), string(chance), string(chance)]);
    case 4:
      return Buffer.concat([integer(0x40, 6, index), string(chance)]);
    case 5:
      return Buffer.concat([
        integer(chance.pick([0, 0x10]), 4, chance.oneIn(2) ? index : 0),
        string(chance),
        string(chance),
      ]);
    case 6:
      return integer(0x20, 5, chance.pick([0, 30, 31, 100, 4096, 4097, 2 ** 20]));
    default:
      return chance.bytes(1 + chance.below(6));
  }
}

function string(chance: Chance): Uint8Array {
  const coded = chance.oneIn(3);
  const bytes = coded
    ? Buffer.from(chance.pick(codedStrings), 'hex')
    : Buffer.from(chance.pick(strings), 'latin1');
  const length = chance.oneIn(20) ? chance.pick([0, 1, 127, 128, 10_000]) : bytes.length;
  return Buffer.concat([integer(coded ? 0x80 : 0, 7, length), bytes]);
}

/** RFC 7541 section 5.1. */
function integer(pattern: number, prefixBits: number, value: number): Uint8Array {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) return Uint8Array.of(pattern | value);
  const bytes = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** One frame, or a header block over several. `fields` makes a head. */
export function wildFrame(chance: Chance, blocks: Blocks, fields: (chance: Chance) => Field[]): Buffer {
  const stream = chance.mostly(4, streams, 10);
  const flags = chance.oneIn(15) ? chance.below(256) : chance.pick([0, flag.endStream]);
  switch (chance.below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return head(chance, stream, flags, blocks.of(fields(chance)));
    case 5:
      return head(chance, stream, flag.endStream, blocks.of([chance.mostly(4, plainFields, 2)]));
    case 6:
    case 7:
    case 8:
      return frame(
        frameType.data,
        flags,
        stream,
        chance.oneIn(2) ? Buffer.from('hello') : Buffer.alloc(chance.pick(sizes)),
      );
    case 9:
      return frame(
        frameType.data,
        flags | flag.padded,
        stream,
        Buffer.concat([Buffer.of(chance.below(8)), Buffer.from('hello!!')]),
      );
    case 10:
      return frame(
        frameType.windowUpdate,
        0,
        chance.oneIn(2) ? 0 : stream,
        uint32(chance.mostly(3, increments)),
      );
    case 11:
      return frame(frameType.rstStream, 0, stream, uint32(chance.below(16)));
    case 12:
      return settingsFrame(chance);
    case 13:
      return frame(
        frameType.ping,
        chance.below(2),
        chance.oneIn(10) ? stream : 0,
        Buffer.alloc(chance.mostly(1, [8, 0, 7, 9])),
      );
    case 14:
      return oddFrame(chance, stream);
    default:
      return frame(chance.below(16), chance.below(256), stream, chance.bytes(chance.below(40)));
  }
}

function settingsFrame(chance: Chance): Buffer {
  if (chance.oneIn(3)) return frame(frameType.settings, flag.ack, 0);
  const pairs = chance.some(3, () => chance.mostly(12, settingPairs));
  const payload = pairs.map(([id, value]) => Buffer.concat([Buffer.of(id >> 8, id & 0xff), uint32(value)]));
  return frame(frameType.settings, 0, chance.oneIn(20) ? 1 : 0, Buffer.concat(payload));
}

function oddFrame(chance: Chance, stream: number): Buffer {
  switch (chance.below(5)) {
    case 0:
      return frame(
        frameType.priority,
        0,
        stream,
        Buffer.concat([uint32(chance.pick(streams)), Buffer.of(1)]),
      );
    case 1:
      return frame(
        frameType.goaway,
        0,
        0,
        Buffer.concat([uint32(chance.pick(streams)), uint32(0), Buffer.from('bye')]),
      );
    case 2:
      return frame(frameType.pushPromise, flag.endHeaders, stream, Buffer.concat([uint32(2), block(good)]));
    case 3:
      return frame(frameType.priorityUpdate, 0, 0, Buffer.from('\0\0\0\u0001u=1'));
    default:
      return frame(frameType.continuation, flag.endHeaders, stream, block([['x', 'y']]));
  }
}

/** A whole message on a stream of its own: head, content, perhaps trailers, and at times what does not fit in between. */
export function exchange(
  chance: Chance,
  blocks: Blocks,
  stream: number,
  fields: (chance: Chance) => Field[],
): Buffer[] {
  const contents = chance
    .some(3, () => chance.pick(['hello', 'x', '', 'hello world']))
    .map((text) => Buffer.from(text));
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  const list = fields(chance);
  if (chance.oneIn(4)) list.push(['content-length', String(chance.rarely(6) ? length + 1 : length)]);
  const trailers = chance.oneIn(4);
  const last = contents.length === 0 && !trailers;
  const frames = [head(chance, stream, last ? flag.endStream : 0, blocks.of(list))];
  for (const [index, content] of contents.entries()) {
    const end = index === contents.length - 1 && !trailers && !chance.rarely(15) ? flag.endStream : 0;
    const padding = chance.oneIn(6) ? Buffer.alloc(chance.below(20)) : undefined;
    if (padding === undefined) frames.push(frame(frameType.data, end, stream, content));
    else {
      const padded = Buffer.concat([Buffer.of(padding.length), content, padding]);
      frames.push(frame(frameType.data, end | flag.padded, stream, padded));
    }
  }
  if (trailers) {
    const end = chance.rarely(15) ? 0 : flag.endStream;
    frames.push(head(chance, stream, end, blocks.of([chance.mostly(2, plainFields, 3), ['x-t', 'z']])));
  }
  if (chance.rarely(4)) frames.splice(chance.below(frames.length + 1), 0, wildFrame(chance, blocks, fields));
  return frames;
}

/** HEADERS with what may be around its block: priority, padding, CONTINUATION. */
function head(chance: Chance, stream: number, flags: number, fields: Buffer): Buffer {
  let payload = fields;
  let all = flags;
  let tail: Buffer = Buffer.alloc(0);
  if (chance.oneIn(8)) {
    all |= flag.priority;
    payload = Buffer.concat([uint32(chance.pick([0, 1, 3, 0x8000_0000])), Buffer.of(15), payload]);
  }
  if (chance.oneIn(8)) {
    const size = chance.mostly(3, [0, 1, 20, 255]);
    all |= flag.padded;
    payload = Buffer.concat([Buffer.of(size), payload, Buffer.alloc(size === 255 ? 3 : size)]);
    return frame(frameType.headers, all | flag.endHeaders, stream, payload);
  }
  if (chance.oneIn(5)) {
    const cut = chance.below(payload.length + 1);
    const last = chance.rarely(15) ? 0 : flag.endHeaders;
    tail = frame(frameType.continuation, last, stream, payload.subarray(cut));
    if (chance.oneIn(3)) tail = Buffer.concat([frame(frameType.continuation, 0, stream), tail]);
    payload = payload.subarray(0, cut);
  } else if (!chance.rarely(40)) all |= flag.endHeaders;
  return Buffer.concat([frame(frameType.headers, all, stream, payload), tail]);
}

/** An HTTP/2 input falls apart into frames; the last piece may be less than one. */
export function framesOf(input: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < input.length; ) {
    const [a = 0, b = 0, c = 0] = input.subarray(at, at + 3);
    const end = at + 9 + (a << 16) + (b << 8) + c;
    frames.push(input.subarray(at, end));
    at = end;
  }
  return frames;
}

/** Bytes that mean something in a frame. */
export const frameDictionary: readonly Uint8Array[] = [
  frame(frameType.settings, 0, 0),
  frame(frameType.settings, flag.ack, 0),
  frame(frameType.ping, 0, 0, Buffer.alloc(8)),
  frame(frameType.windowUpdate, 0, 0, uint32(1)),
  frame(frameType.continuation, flag.endHeaders, 1),
  frame(frameType.data, flag.endStream, 1),
  frame(frameType.rstStream, 0, 1, uint32(8)),
  frame(frameType.headers, flag.endHeaders | flag.endStream, 1, block(good)),
  block(plainFields.slice(0, 3)),
  uint32(0x7fff_ffff),
];

import { clientPreface, flag, frameType } from '../../packages/wire/src/http2/frame.ts';
import { HpackDecoder, HpackError } from '../../packages/wire/src/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../packages/wire/src/http2/hpack/encoder.ts';
import type { HeaderField } from '../../packages/wire/src/http2/hpack/header-field.ts';
import { block, frame, get, settings } from '../../packages/wire/src/http2/testdata/raw-frames.ts';
import type { Chance } from '../chance.ts';
import { meantFields } from '../meaning.ts';
import { withPlan } from '../plan.ts';
import { nodeReadsStreams } from '../reference/node-http2.ts';
import { expect, type Target } from '../target.ts';
import { wildBlock } from './http2-parts.ts';

const tableBytes = 4096;
const largestBlock = 16_384;
// Not by an encoder, which would have the decoder remember `:authority`: GET, http, /, and a literal that is not kept.
const head = Buffer.from('828684010474657374', 'hex');

/** Header blocks of one connection, each after two bytes of its length: our decoder, and nghttp2's beside it. */
export const hpack: Target = {
  name: 'hpack',
  seeds: [
    input([block(get()), block([['x', 'y']])]),
    // RFC 7541 appendix C.4: requests with Huffman code, the table growing.
    input(
      [
        '828684418cf1e3c2e5f23a6ba0ab90f4ff',
        '828684be5886a8eb10649cbf',
        '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
      ].map((hex) => Buffer.from(hex, 'hex')),
    ),
    input([Buffer.from('3fe11f', 'hex'), Buffer.from('20', 'hex'), Buffer.from('40017801793f', 'hex')]),
  ],
  dictionary: [
    'be',
    '3fe11f',
    '20',
    '4001780179',
    '0001780179',
    '82',
    '80',
    'ff8080808008',
    '418cf1e3c2e5f23a6ba0ab90f4ff',
  ].map((hex) => Buffer.from(hex, 'hex')),
  generate: (chance) => input(Array.from({ length: 1 + chance.below(6) }, () => blockOf(chance))),
  pieces,
  run,
};

function blockOf(chance: Chance): Uint8Array {
  if (chance.oneIn(3)) return wildBlock(chance);
  // What most streams of a connection look like: literals that are remembered, then indexes of those.
  const fields = Array.from({ length: 1 + chance.below(5) }, () => {
    const name = `x-${chance.below(8)}`;
    const value = 'v'.repeat(chance.pick([1, 3, 200, 2000]));
    return chance.oneIn(2)
      ? Buffer.of(0x80 | (62 + chance.below(6)))
      : Buffer.concat([
          Buffer.of(0x40, name.length),
          Buffer.from(name),
          lengthOf(value.length),
          Buffer.from(value),
        ]);
  });
  return Buffer.concat(fields);
}

function lengthOf(length: number): Uint8Array {
  if (length < 127) return Uint8Array.of(length);
  const rest = length - 127;
  return rest < 128 ? Uint8Array.of(127, rest) : Uint8Array.of(127, (rest & 0x7f) | 0x80, rest >> 7);
}

function input(blocks: readonly Uint8Array[]): Uint8Array {
  return withPlan(
    0,
    Buffer.concat(blocks.flatMap((each) => [Buffer.of(each.length >> 8, each.length & 0xff), each])),
  );
}

function pieces(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

/** What our decoder made of the blocks, up to the first that it refuses. */
interface Decoded {
  readonly blocks: readonly (readonly HeaderField[])[];
  readonly refused: string | undefined;
}

async function run(bytes: Uint8Array): Promise<string> {
  const blocks = pieces(bytes.subarray(1)).map((piece) => Buffer.from(piece.subarray(2, largestBlock)));
  const decoded = decode(blocks);
  for (const fields of decoded.blocks) roundTrip(fields);
  await compare(blocks, decoded);
  const kinds = decoded.blocks.flat().map(({ traits }) => traits);
  const firsts = blocks.map((each) => Math.clz32(each[0] ?? 0));
  return [
    decoded.refused?.replace(/\d+/g, '#'),
    [...new Set(kinds)],
    decoded.blocks.length,
    [...new Set(firsts)],
  ].join(' ');
}

function decode(blocks: readonly Buffer[]): Decoded {
  const decoder = new HpackDecoder(tableBytes);
  const found: HeaderField[][] = [];
  try {
    for (const each of blocks) {
      const fields: HeaderField[] = [];
      decoder.decode(each, 0, each.length, { field: (field) => fields.push(field) });
      expect(decoder.tableBytes <= tableBytes, () => `table: ${decoder.tableBytes} bytes`);
      found.push(fields);
    }
  } catch (error) {
    if (!(error instanceof HpackError)) throw error;
    return { blocks: found, refused: error.message };
  }
  return { blocks: found, refused: undefined };
}

/** What we write, we read. */
function roundTrip(fields: readonly HeaderField[]): void {
  const encoder = new HpackEncoder(tableBytes);
  const decoder = new HpackDecoder(tableBytes);
  for (let time = 0; time < 3; time++) {
    const out = Buffer.alloc(
      fields.reduce((sum, { name, value }) => sum + HpackEncoder.bound(name, value), 64),
    );
    let at = encoder.begin(out, 0);
    for (const { name, value } of fields) at = encoder.field(out, at, name, value);
    const back: string[] = [];
    decoder.decode(out, 0, at, { field: ({ name, value }) => back.push(name, value) });
    const sent = fields.flatMap(({ name, value }) => [name, value]);
    expect(
      JSON.stringify(back) === JSON.stringify(sent),
      () => `round trip: ${JSON.stringify([sent, back])}`,
    );
  }
}

/**
 * Each block as the trailers of a stream. nghttp2 leaves out what no field may be, and gives streams up for what no
 * trailer may be; of a stream whose fields are all good it must give the same fields. Blocks that cannot be decoded
 * end the connection.
 */
async function compare(blocks: readonly Buffer[], decoded: Decoded): Promise<void> {
  const frames = blocks.flatMap((each, at) => [
    frame(frameType.headers, flag.endHeaders, 2 * at + 1, head),
    frame(frameType.headers, flag.endHeaders | flag.endStream, 2 * at + 1, each),
  ]);
  const { read, refused, over } = await nodeReadsStreams(
    Buffer.concat([clientPreface, settings(), ...frames]),
  );
  for (const [at, fields] of decoded.blocks.entries()) {
    const theirs = read.get(2 * at + 1);
    if (theirs === undefined || fields.some(({ traits }) => traits !== 0)) continue;
    const ours = meantFields(fields.flatMap(({ name, value }) => [name, value]));
    const same = JSON.stringify(ours) === JSON.stringify(theirs.trailers);
    expect(
      same,
      () =>
        `meaning: of block ${at + 1} we read ${JSON.stringify(ours)}, nghttp2 ${JSON.stringify(theirs.trailers)}`,
    );
  }
  if (decoded.refused === undefined || over || refused.size > 0) return;
  const index = decoded.blocks.length;
  expect(
    !read.has(2 * index + 1),
    () => `refused: block ${index + 1}, which nghttp2 reads (${decoded.refused})`,
  );
}

import { gzipSync } from 'node:zlib';
import { HeddleError } from '@heddle/kernel';
import { frame } from '../../packages/wire/src/grpc/framing.ts';
import { messagesOf } from '../../packages/wire/src/grpc/messages.ts';
import { gzip } from '../../packages/wire/src/grpc/node/compression.ts';
import { base64Body } from '../../packages/wire/src/grpc/web.ts';
import { streamBody } from '../../packages/wire/src/message/body.ts';
import type { Chance } from '../chance.ts';
import { chunksOf, type Manner, planOf, withPlan } from '../plan.ts';
import { expect, type Target } from '../target.ts';

const limitBytes = 1000;
const lengths = [0, 1, 5, 999, 1000, 1001, 65_536, 0x7fff_ffff, 0xffff_ffff] as const;

/** Messages as gRPC frames them, in a body that is cut anywhere: beside a reading by the letter. */
export const grpc: Target = {
  name: 'grpc',
  seeds: [
    withPlan(0, Buffer.concat([frame(Buffer.from('hello')), frame(new Uint8Array(0))])),
    withPlan(8, frame(Buffer.alloc(limitBytes))),
    withPlan(16, Buffer.from('0000000005', 'hex')),
    withPlan(0, Buffer.from('0100000000', 'hex')),
    withPlan(6, frame(gzipSync('hello'), 1)),
    withPlan(6, frame(gzipSync(Buffer.alloc(500_000)), 1)),
    withPlan(15, Buffer.from(Buffer.from(frame(Buffer.from('hello'))).toString('base64'))),
  ],
  dictionary: [
    '0000000000',
    '000000000178',
    '0100000000',
    '8000000000',
    '00ffffffff',
    '00000003e8',
    '00000003e9',
  ].map((hex) => Buffer.from(hex, 'hex')),
  generate: (chance) => withPlan(chance.below(256), Buffer.concat(chance.some(6, () => wildMessage(chance)))),
  pieces: framedOf,
  run: async (input) => {
    const plan = planOf(input);
    const how = modes[plan.manner] ?? 'plain';
    const whole = await read(chunksOf(input, { ...plan, cuts: [] }), how);
    const cut = await read(chunksOf(input, plan), how);
    // A wrong character spoils its chunk: what of the body was given before that depends on where it was cut.
    const spoilt = how === 'text' && whole.end !== 'whole' && cut.end !== 'whole';
    if (!spoilt) agree(whole, cut, 'cut');
    if (how === 'plain') agree(whole, byTheLetter(input.subarray(1)), 'by the letter');
    return `${how} ${whole.end} ${whole.messages.length} ${plan.cuts.length > 0}`;
  },
};

/** How a body is read: as it is, with gzip for marked messages, or as gRPC-Web's text. */
type Mode = 'plain' | 'gzip' | 'text';

const modes: Partial<Record<Manner, Mode>> = { trailers: 'gzip', slow: 'text' };

function agree(ours: Reading, other: Reading, name: string): void {
  const same = JSON.stringify(ours) === JSON.stringify(other);
  expect(same, () => `meaning: whole ${JSON.stringify(ours)}, ${name} ${JSON.stringify(other)}`);
}

function wildMessage(chance: Chance): Uint8Array {
  const length = chance.mostly(4, lengths, 3);
  const head = Buffer.alloc(5);
  head[0] = chance.mostly(1, [0, 1, 2, 128, 255], 5);
  head.writeUInt32BE(length, 1);
  const sent = chance.rarely(6) ? chance.below(20) : Math.min(length, 2000);
  return Buffer.concat([head, Buffer.alloc(sent, 'm')]);
}

/** Messages of a body in hexadecimal, and how it ended: `whole`, or the reason of the error. */
interface Reading {
  readonly messages: readonly string[];
  readonly end: string;
}

async function read(chunks: readonly Uint8Array[], mode: Mode): Promise<Reading> {
  const source = streamBody(each(chunks));
  const body = mode === 'text' ? base64Body(source) : source;
  const messages: string[] = [];
  try {
    const reading = { limitBytes, compression: mode === 'gzip' ? gzip : undefined };
    for await (const next of messagesOf(body, reading)) {
      expect(next.length <= limitBytes, () => `limit: a message of ${next.length} bytes`);
      messages.push(hex(next));
    }
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    return { messages, end: error.reason };
  }
  return { messages, end: 'whole' };
}

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* chunks;
}

/** The framing as gRPC over HTTP/2 writes it down: `Length-Prefixed-Message → Compressed-Flag Message-Length Message`. */
function byTheLetter(bytes: Uint8Array): Reading {
  const messages: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 5) return { messages, end: 'TORN_MESSAGE' };
    const flags = bytes[at] ?? 0;
    if (flags > 1) return { messages, end: 'UNKNOWN_FLAGS' };
    const length = lengthAt(bytes, at + 1);
    if (length > limitBytes) return { messages, end: 'MESSAGE_TOO_LARGE' };
    if (bytes.length - at - 5 < length) return { messages, end: 'TORN_MESSAGE' };
    if (flags === 1) return { messages, end: 'UNNAMED_COMPRESSION' };
    messages.push(hex(bytes.subarray(at + 5, at + 5 + length)));
    at += 5 + length;
  }
  return { messages, end: 'whole' };
}

function framedOf(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + (bytes.length - at < 5 ? 0 : lengthAt(bytes, at + 1));
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + 4);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

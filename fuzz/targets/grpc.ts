import { HeddleError } from '@heddle/kernel';
import { frame, MessageReader } from '../../packages/wire/src/grpc/framing.ts';
import type { Chance } from '../chance.ts';
import { chunksOf, planOf, withPlan } from '../plan.ts';
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
  pieces: messagesOf,
  run: async (input) => {
    const whole = read(chunksOf(input, { ...planOf(input), cuts: [] }));
    const cut = read(chunksOf(input, planOf(input)));
    const letter = byTheLetter(input.subarray(1));
    for (const [name, other] of [
      ['cut', cut],
      ['by the letter', letter],
    ] as const) {
      const same = JSON.stringify(whole) === JSON.stringify(other);
      expect(same, () => `meaning: whole ${JSON.stringify(whole)}, ${name} ${JSON.stringify(other)}`);
    }
    return `${whole.end} ${whole.messages.length} ${planOf(input).cuts.length > 0}`;
  },
};

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

function read(chunks: readonly Uint8Array[]): Reading {
  const reader = new MessageReader(limitBytes);
  const messages: string[] = [];
  try {
    for (const chunk of chunks) {
      reader.push(chunk);
      for (let next = reader.next(); next !== undefined; next = reader.next()) {
        messages.push(`${reader.compressed ? 'compressed ' : ''}${hex(next)}`);
      }
    }
    reader.end();
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    return { messages, end: error.reason };
  }
  return { messages, end: 'whole' };
}

/** The framing as gRPC over HTTP/2 writes it down: `Length-Prefixed-Message → Compressed-Flag Message-Length Message`. */
function byTheLetter(bytes: Uint8Array): Reading {
  const messages: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 5) return { messages, end: 'TORN_MESSAGE' };
    const flags = bytes[at] as number;
    if (flags > 1) return { messages, end: 'UNKNOWN_FLAGS' };
    const length = lengthAt(bytes, at + 1);
    if (length > limitBytes) return { messages, end: 'MESSAGE_TOO_LARGE' };
    if (bytes.length - at - 5 < length) return { messages, end: 'TORN_MESSAGE' };
    messages.push(`${flags === 1 ? 'compressed ' : ''}${hex(bytes.subarray(at + 5, at + 5 + length))}`);
    at += 5 + length;
  }
  return { messages, end: 'whole' };
}

function messagesOf(bytes: Uint8Array): Uint8Array[] {
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

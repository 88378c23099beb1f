// The two messages of grpc.health.v1, and the five bytes before each, written out: a code generator for two fields
// would be more to read. https://github.com/grpc/grpc/blob/master/doc/health-checking.md
import { HeddleError } from '@heddle/kernel';

/** What a server says of a service. `unknown_service` only comes from Watch; Check answers NOT_FOUND instead. */
export type ServingStatus = 'unknown' | 'serving' | 'not_serving' | 'unknown_service';

const statuses: readonly ServingStatus[] = ['unknown', 'serving', 'not_serving', 'unknown_service'];
const prefixBytes = 5;
/** More than any server can mean to say. */
const longestMessageBytes = 1024;

/** A `HealthCheckRequest` in a gRPC frame; field 1 is the service. */
export function encodeRequest(service: string): Uint8Array {
  const name = new TextEncoder().encode(service);
  const message = name.length === 0 ? [] : [0x0a, ...varint(name.length), ...name];
  return Uint8Array.from([0, ...uint32(message.length), ...message]);
}

/** Cuts the answers out of a stream of bytes. Throws `data_loss` / `BAD_HEALTH_ANSWER`. */
export class AnswerReader {
  #pending: Uint8Array = new Uint8Array(0);

  /** The answers that are complete with these bytes. */
  push(chunk: Uint8Array): ServingStatus[] {
    this.#pending = Uint8Array.from([...this.#pending, ...chunk]);
    const found: ServingStatus[] = [];
    for (;;) {
      const { length } = this.#pending;
      if (length < prefixBytes) return found;
      const size = new DataView(this.#pending.buffer).getUint32(1);
      if (this.#pending[0] !== 0) throw badAnswer('an uncompressed message');
      if (size > longestMessageBytes) throw badAnswer(`a message of at most ${longestMessageBytes} bytes`);
      if (length < prefixBytes + size) return found;
      found.push(decodeResponse(this.#pending.subarray(prefixBytes, prefixBytes + size)));
      this.#pending = this.#pending.slice(prefixBytes + size);
    }
  }

  /** The stream has ended: throws if that was within an answer. */
  end(): void {
    if (this.#pending.length > 0) throw badAnswer('a whole message');
  }
}

/** Field 1, an enum; the last one counts. Other fields are of a later version and passed over. */
function decodeResponse(message: Uint8Array): ServingStatus {
  let status = 0;
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      if (byte === undefined || factor > 2 ** 63) throw badAnswer('a number');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = readVarint();
    if (tag === 0x08) status = readVarint();
    else if (tag % 8 === 0) readVarint();
    else if (tag % 8 === 1) at += 8;
    else if (tag % 8 === 2) {
      // Read first: it moves `at` itself.
      const size = readVarint();
      at += size;
    } else if (tag % 8 === 5) at += 4;
    else throw badAnswer('a known wire type');
    if (at > message.length) throw badAnswer('a whole field');
  }
  return statuses[status] ?? 'unknown';
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

function uint32(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff);
}

function badAnswer(expected: string): HeddleError {
  const message = `expected ${expected} in an answer of grpc.health.v1, found something else; is gRPC spoken there?`;
  return new HeddleError({ code: 'data_loss', reason: 'BAD_HEALTH_ANSWER', message });
}

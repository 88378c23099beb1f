import { FrameReader } from '../frame-reader.ts';
import { clientPreface, flag, frameType } from '../frame.ts';
import { HpackDecoder } from '../hpack/decoder.ts';
import { HpackEncoder } from '../hpack/encoder.ts';

/** A frame as a test looks at it. */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Bytes of one frame, whatever they say. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A number in four bytes. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** An empty SETTINGS frame, or one with these pairs. */
export function settings(...pairs: readonly (readonly [identifier: number, value: number])[]): Buffer {
  const payload = Buffer.concat(
    pairs.map(([id, value]) => Buffer.concat([Buffer.of(id >> 8, id), uint32(value)])),
  );
  return frame(frameType.settings, 0, 0, payload);
}

/** What a client starts with. */
export const hello: Buffer = Buffer.concat([
  clientPreface,
  settings(),
  frame(frameType.settings, flag.ack, 0),
]);

/** A header block in which nothing refers to a dynamic table. */
export function block(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const out = Buffer.alloc(fields.reduce((sum, [name, value]) => sum + HpackEncoder.bound(name, value), 16));
  const encoder = new HpackEncoder(0);
  let at = 0;
  for (const [name, value] of fields) at = encoder.field(out, at, name, value);
  return out.subarray(0, at);
}

/** The pseudo-fields of a plain request. */
export function get(path = '/'): [name: string, value: string][] {
  return [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'test'],
  ];
}

/** HEADERS with END_HEADERS. */
export function headers(
  streamId: number,
  fields: readonly (readonly [string, string])[],
  endStream = true,
): Buffer {
  const flags = flag.endHeaders | (endStream ? flag.endStream : 0);
  return frame(frameType.headers, flags, streamId, block(fields));
}

/** DATA. */
export function data(streamId: number, content: string | Uint8Array, endStream = false): Buffer {
  const payload = typeof content === 'string' ? Buffer.from(content) : content;
  return frame(frameType.data, endStream ? flag.endStream : 0, streamId, payload);
}

/** Reads what the other side wrote, frame by frame; header blocks in order, with one decoder. */
export class FrameLog {
  readonly frames: RawFrame[] = [];
  readonly #decoder = new HpackDecoder(65_536);
  readonly #reader = new FrameReader((type, flags, streamId, bytes, start, end) => {
    this.frames.push({ type, flags, streamId, payload: Buffer.from(bytes.subarray(start, end)) });
  });

  read(bytes: Uint8Array): void {
    this.#reader.read(Buffer.from(bytes));
  }

  ofType(type: number): RawFrame[] {
    return this.frames.filter((each) => each.type === type);
  }

  /** Fields of a HEADERS frame; each block once, in order. */
  fields({ payload }: RawFrame): [name: string, value: string][] {
    const fields: [string, string][] = [];
    this.#decoder.decode(payload, 0, payload.length, {
      field: ({ name, value }) => fields.push([name, value]),
    });
    return fields;
  }

  /** The code of the last GOAWAY; undefined if there was none. */
  get goaway(): number | undefined {
    return this.ofType(frameType.goaway).at(-1)?.payload.readUInt32BE(4);
  }

  /** The code that the stream was reset with; undefined if it was not. */
  resetOf(streamId: number): number | undefined {
    const reset = this.ofType(frameType.rstStream).find((each) => each.streamId === streamId);
    return reset?.payload.readUInt32BE(0);
  }
}

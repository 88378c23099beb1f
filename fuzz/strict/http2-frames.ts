// Our own HTTP/2 output, read by the letter of RFC 9113, against what the input allowed.
import { FrameReader } from '../../packages/wire/src/http2/frame-reader.ts';
import {
  clientPreface,
  flag,
  frameType,
  initialWindowBytes,
  readUint31,
  readUint32,
} from '../../packages/wire/src/http2/frame.ts';
import { isFieldName, isFieldValue } from '../../packages/wire/src/http2/hpack/header-field.ts';
import { FrameLog, type RawFrame } from '../../packages/wire/src/http2/testdata/raw-frames.ts';
import { expect } from '../target.ts';

/** What the peer's bytes allow at most: an upper bound, for they may be wrong from some point on. */
interface Allowance {
  readonly window: number;
  readonly increments: ReadonlyMap<number, number>;
  readonly frameBytes: number;
}

/** Reads what we wrote; `input` is what the peer had said. Gives the frames. */
export function readOutput(
  written: Uint8Array,
  input: Uint8Array,
  role: 'server' | 'client',
): readonly RawFrame[] {
  const preface = role === 'client' ? clientPreface.length : 0;
  if (written.length <= preface) return [];
  const log = new FrameLog();
  log.read(written.subarray(preface));
  const total = log.frames.reduce((sum, { payload }) => sum + 9 + payload.length, preface);
  expect(total === written.length, () => `output: ${written.length - total} bytes are less than a frame`);
  expect(log.frames[0]?.type === frameType.settings, () => 'output: it does not begin with SETTINGS');
  const reader = new Output(allowanceOf(input), role, log);
  for (const frame of log.frames) reader.frame(frame);
  return log.frames;
}

class Output {
  readonly #allowed: Allowance;
  readonly #role: 'server' | 'client';
  readonly #log: FrameLog;
  readonly #ended = new Set<number>();
  readonly #begun = new Set<number>();
  readonly #sent = new Map<number, number>();
  #block: number | undefined;

  constructor(allowed: Allowance, role: 'server' | 'client', log: FrameLog) {
    this.#allowed = allowed;
    this.#role = role;
    this.#log = log;
  }

  frame(frame: RawFrame): void {
    const { type, flags, streamId, payload } = frame;
    expect(payload.length <= this.#allowed.frameBytes, () => `output: a frame of ${payload.length} bytes`);
    if (this.#block !== undefined) {
      const goesOn = type === frameType.continuation && streamId === this.#block;
      expect(goesOn, () => `output: type ${type} within a header block`);
    }
    if (type === frameType.headers) this.#headers(frame);
    else if (type === frameType.continuation)
      this.#block = (flags & flag.endHeaders) === 0 ? streamId : undefined;
    else if (type === frameType.data) this.#data(frame);
    else if (type === frameType.rstStream) this.#ended.add(streamId);
    else if (type === frameType.windowUpdate)
      expect(readUint31(payload, 0) > 0, () => 'output: WINDOW_UPDATE of nothing');
    else if (type === frameType.ping)
      expect(payload.length === 8 && streamId === 0, () => 'output: a bad PING');
    if (type === frameType.headers && (flags & flag.endHeaders) === 0) this.#block = streamId;
  }

  #headers(frame: RawFrame): void {
    const { streamId, flags } = frame;
    expect((streamId & 1) === 1, () => `output: HEADERS on stream ${streamId}`);
    expect(!this.#ended.has(streamId), () => `output: HEADERS after the end of stream ${streamId}`);
    // A block over several frames has no end here; that its table stays in step is seen at the next one.
    if ((flags & flag.endHeaders) !== 0) this.#fields(frame);
    else this.#begun.add(streamId);
    if ((flags & flag.endStream) !== 0) this.#ended.add(streamId);
  }

  #fields(frame: RawFrame): void {
    const { streamId, flags } = frame;
    const fields = this.#log.fields(frame);
    const pseudo = fields.filter(([name]) => name.startsWith(':'));
    const first = this.#role === 'server' ? ':status' : ':method';
    if (this.#begun.has(streamId)) {
      expect(pseudo.length === 0 && (flags & flag.endStream) !== 0, () => 'output: trailers that are none');
    } else {
      expect(fields[0]?.[0] === first, () => `output: a head without ${first} in front`);
      const interim = first === ':status' && Number(fields[0]?.[1]) < 200;
      if (!interim) this.#begun.add(streamId);
    }
    for (const [name, value] of fields.slice(pseudo.length)) {
      expect(
        isFieldName(name) && isFieldValue(value),
        () => `output: the field ${JSON.stringify([name, value])}`,
      );
    }
  }

  #data({ streamId, flags, payload }: RawFrame): void {
    expect(this.#begun.has(streamId), () => `output: DATA before HEADERS on stream ${streamId}`);
    expect(!this.#ended.has(streamId), () => `output: DATA after the end of stream ${streamId}`);
    if ((flags & flag.endStream) !== 0) this.#ended.add(streamId);
    for (const [scope, initial] of [
      [streamId, this.#allowed.window],
      [0, initialWindowBytes],
    ] as const) {
      const sent = (this.#sent.get(scope) ?? 0) + payload.length;
      this.#sent.set(scope, sent);
      const most = initial + (this.#allowed.increments.get(scope) ?? 0);
      expect(sent <= most, () => `window: ${sent} bytes sent on ${scope}, ${most} allowed`);
    }
  }
}

function allowanceOf(input: Uint8Array): Allowance {
  const increments = new Map<number, number>();
  let window = initialWindowBytes;
  let frameBytes = 16_384;
  const reader = new FrameReader((type, _flags, streamId, bytes, start, end) => {
    const at = streamId & 0x7fff_ffff;
    if (type === frameType.windowUpdate && end - start === 4)
      increments.set(at, (increments.get(at) ?? 0) + readUint31(bytes, start));
    if (type !== frameType.settings) return;
    for (let pair = start; pair + 6 <= end; pair += 6) {
      const value = readUint32(bytes, pair + 2);
      if (bytes[pair + 1] === 4) window = Math.max(window, value);
      if (bytes[pair + 1] === 5) frameBytes = Math.max(frameBytes, value);
    }
  });
  try {
    reader.read(Buffer.from(input));
  } catch {
    // Too large a frame: nothing behind it was read by the engine either.
  }
  return { window, increments, frameBytes: Math.min(frameBytes, 16_777_215) };
}

import { defaultFrameBytes, flag, frameHeaderBytes, frameType } from './frame.ts';
import type { Output } from './output.ts';

// What each function writes is one frame (RFC 9113 section 6). Nothing is checked: whoever calls knows the limits.

/**
 * `bytes[from, from + count)` as content of a stream: as a DATA frame, or at the end of the one that was written last
 * where that is the stream's own and has not left. So the many small chunks of a stream of messages cost one frame
 * here and at the peer, and what frames a message need not be copied together with it.
 */
export function writeData(
  output: Output,
  streamId: number,
  bytes: Uint8Array,
  from: number,
  count: number,
  endStream: boolean,
): void {
  const flags = endStream ? flag.endStream : 0;
  const before = output.extendData(streamId, count);
  const at = before < 0 ? writeFrame(output, count, frameType.data, flags, streamId) : before;
  const { buffer } = output;
  if (before < 0) {
    if (!endStream) output.noteData(streamId, at, count);
  } else {
    const head = output.dataStart - frameHeaderBytes;
    writeFrameHeader(buffer, head, at + count - output.dataStart, frameType.data, flags, streamId);
  }
  if (count > 64) {
    buffer.set(from === 0 && count === bytes.length ? bytes : bytes.subarray(from, from + count), at);
    return;
  }
  // A loop of our own costs less here than a call into the engine's copy.
  for (let index = 0; index < count; index++) buffer[at + index] = bytes[from + index] as number;
}

/** RST_STREAM with an `errorCode`. */
export function writeRstStream(output: Output, streamId: number, code: number): void {
  const at = writeFrame(output, 4, frameType.rstStream, 0, streamId);
  writeUint32(output.buffer, at, code);
}

/** WINDOW_UPDATE by 1 to 2^31-1; stream 0 is the connection. */
export function writeWindowUpdate(output: Output, streamId: number, increment: number): void {
  const at = writeFrame(output, 4, frameType.windowUpdate, 0, streamId);
  writeUint32(output.buffer, at, increment);
}

/** SETTINGS. `pairs`: identifier, value, identifier, value … */
export function writeSettings(output: Output, pairs: readonly number[]): void {
  let at = writeFrame(output, pairs.length * 3, frameType.settings, 0, 0);
  const { buffer } = output;
  for (let index = 0; index < pairs.length; index += 2) {
    const identifier = pairs[index] as number;
    buffer[at] = identifier >>> 8;
    buffer[at + 1] = identifier;
    writeUint32(buffer, at + 2, pairs[index + 1] as number);
    at += 6;
  }
}

/** The acknowledgement of the peer's SETTINGS. */
export function writeSettingsAck(output: Output): void {
  writeFrame(output, 0, frameType.settings, flag.ack, 0);
}

/** PING, or the answer to one. `opaque` holds eight bytes from `from`. */
export function writePing(output: Output, ack: boolean, opaque: Uint8Array, from: number): void {
  const at = writeFrame(output, 8, frameType.ping, ack ? flag.ack : 0, 0);
  for (let index = 0; index < 8; index++) output.buffer[at + index] = opaque[from + index] as number;
}

/** GOAWAY. `debug` is for people at the other end; ASCII. */
export function writeGoaway(output: Output, lastStreamId: number, code: number, debug: string): void {
  const at = writeFrame(output, 8 + debug.length, frameType.goaway, 0, 0);
  const { buffer } = output;
  writeUint32(buffer, at, lastStreamId);
  writeUint32(buffer, at + 4, code);
  buffer.write(debug, at + 8, 'latin1');
}

/** A header block as one HEADERS frame and as many CONTINUATION frames as it takes. */
export function writeHeaderBlock(
  output: Output,
  streamId: number,
  block: Uint8Array,
  endStream: boolean,
): void {
  for (let from = 0; from === 0 || from < block.length; from += defaultFrameBytes) {
    const part = block.subarray(from, from + defaultFrameBytes);
    const lastFlag = from + defaultFrameBytes >= block.length ? flag.endHeaders : 0;
    const endFlag = endStream && from === 0 ? flag.endStream : 0;
    const type = from === 0 ? frameType.headers : frameType.continuation;
    const at = writeFrame(output, part.length, type, lastFlag | endFlag, streamId);
    output.buffer.set(part, at);
  }
}

/** A frame's header, with room behind it. Returns where the payload goes, which the caller must fill. */
export function writeFrame(
  output: Output,
  count: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  const at = output.reserve(frameHeaderBytes + count);
  writeFrameHeader(output.buffer, at, count, type, flags, streamId);
  return at + frameHeaderBytes;
}

/** The nine bytes before a payload of `count` bytes. */
export function writeFrameHeader(
  buffer: Buffer,
  at: number,
  count: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  buffer[at] = count >>> 16;
  buffer[at + 1] = count >>> 8;
  buffer[at + 2] = count;
  buffer[at + 3] = type;
  buffer[at + 4] = flags;
  writeUint32(buffer, at + 5, streamId);
}

function writeUint32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
}

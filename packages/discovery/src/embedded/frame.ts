import { crc32 } from 'node:zlib';

// "HDF1": lets a reader find the next frame behind a damaged one.
const magic = 0x31464448;
const headerBytes = 12;

/**
 * One record on disk: magic, length of the payload, CRC-32 of length and payload (three little-endian 32-bit numbers),
 * then the payload.
 */
export function frame(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headerBytes + payload.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, payload.byteLength, true);
  bytes.set(payload, headerBytes);
  view.setUint32(8, checksum(bytes, 0, payload.byteLength), true);
  return bytes;
}

/** What a file of frames holds. */
export interface FrameReading {
  readonly payloads: readonly Uint8Array[];
  /** Where the first byte is that belongs to no whole frame; the file's size if all is well. */
  readonly goodBytes: number;
  /**
   * `torn`: what follows is the beginning of a write that never finished. `damaged`: whole frames follow further on,
   * so this was whole once, and what it said is lost.
   */
  readonly tail: 'clean' | 'torn' | 'damaged';
}

/** Reads all frames from the start to the first that is not whole. */
export function readFrames(bytes: Uint8Array): FrameReading {
  const payloads: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    const length = wholeFrameAt(bytes, at);
    if (length === undefined) break;
    payloads.push(bytes.subarray(at + headerBytes, at + headerBytes + length));
    at += headerBytes + length;
  }
  if (at === bytes.byteLength) return { payloads, goodBytes: at, tail: 'clean' };
  for (let further = at + 1; further < bytes.byteLength; further++) {
    if (wholeFrameAt(bytes, further) !== undefined) return { payloads, goodBytes: at, tail: 'damaged' };
  }
  return { payloads, goodBytes: at, tail: 'torn' };
}

/** The length of the payload, if a whole frame begins here. */
function wholeFrameAt(bytes: Uint8Array, at: number): number | undefined {
  if (bytes.byteLength - at < headerBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, headerBytes);
  if (view.getUint32(0, true) !== magic) return undefined;
  const length = view.getUint32(4, true);
  if (length > bytes.byteLength - at - headerBytes) return undefined;
  return view.getUint32(8, true) === checksum(bytes, at, length) ? length : undefined;
}

function checksum(bytes: Uint8Array, at: number, length: number): number {
  const ofLength = crc32(bytes.subarray(at + 4, at + 8));
  return crc32(bytes.subarray(at + headerBytes, at + headerBytes + length), ofLength);
}

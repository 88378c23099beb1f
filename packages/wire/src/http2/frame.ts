/** Frame types (RFC 9113 section 6, RFC 9218 section 7.1 for the last). Others are ignored. */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
  priorityUpdate: 16,
} as const;

/** Frame flags. `ack` and `endStream` are the same bit, of different types. */
export const flag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** Length, type, flags and stream identifier. */
export const frameHeaderBytes = 9;

/** The largest payload where SETTINGS_MAX_FRAME_SIZE was not raised, which we never do. */
export const defaultFrameBytes = 16_384;

/** Window of a connection and of a stream before anybody says otherwise (RFC 9113 section 6.9.2). */
export const initialWindowBytes = 65_535;

/** No window may pass this (RFC 9113 section 6.9.1), and no stream identifier. */
export const largest31 = 0x7fff_ffff;

/** What a client's connection starts with (RFC 9113 section 3.4). */
export const clientPreface: Uint8Array = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** The 31-bit number at an offset, its reserved bit ignored. */
export function readUint31(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at) & largest31;
}

/** The unsigned 32-bit number at an offset. */
export function readUint32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}

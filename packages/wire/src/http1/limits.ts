/** How large and how slow an HTTP/1.1 message may be. Sizes in bytes, times in milliseconds. */
export interface MessageLimits {
  /** Request line or status line, without its end. Default 8192. */
  readonly startLineBytes: number;
  /** Start line and fields together. Default 32768. Trailers are counted apart, by the same number. */
  readonly headBytes: number;
  /** Fields in a head or in trailers. Default 100. */
  readonly fieldCount: number;
  /** Chunk extensions of one body. Default 4096. */
  readonly chunkExtensionBytes: number;
  /** Content of one message. Default unlimited: bodies stream, so size costs no memory. */
  readonly bodyBytes: number;
  /** Bytes of a body held for its reader before the peer is made to wait. Default 65536. */
  readonly bufferBytes: number;
  /** No byte of an awaited body for this long. Default 30000. */
  readonly bodyIdleMs: number;
  /** The peer takes nothing of what is being sent for this long. Default 30000. */
  readonly writeIdleMs: number;
}

/** The defaults. */
export const messageLimits: MessageLimits = {
  startLineBytes: 8192,
  headBytes: 32_768,
  fieldCount: 100,
  chunkExtensionBytes: 4096,
  bodyBytes: Number.POSITIVE_INFINITY,
  bufferBytes: 65_536,
  bodyIdleMs: 30_000,
  writeIdleMs: 30_000,
};

import { type MessageLimits, messageLimits } from './limits.ts';

/** What a server allows one HTTP/1.1 connection. Sizes in bytes, times in milliseconds. */
export interface Http1ServerLimits extends MessageLimits {
  /** From the first byte of a head to its last; also from the opening of a connection to its first byte. Default 10000. */
  readonly headMs: number;
  /** Between an answer and the next request. Default 60000. */
  readonly idleMs: number;
  /** Content must come this fast on average, after a grace of `bodyIdleMs`; 0 for any speed. Default 100. */
  readonly bodyBytesPerSecond: number;
  /** Bytes of pipelined requests held while an answer is in the making. Default 65536. */
  readonly pipelineBytes: number;
  /** How long to take in what a refused peer goes on sending, so that it can read why. Default 1000. */
  readonly lingerMs: number;
}

/** The defaults. */
export const http1ServerLimits: Http1ServerLimits = {
  ...messageLimits,
  headMs: 10_000,
  idleMs: 60_000,
  bodyBytesPerSecond: 100,
  pipelineBytes: 65_536,
  lingerMs: 1000,
};

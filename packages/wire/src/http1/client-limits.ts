import { type MessageLimits, messageLimits } from './limits.ts';

/** What a client allows one HTTP/1.1 connection. Sizes in bytes, times in milliseconds. */
export interface Http1ClientLimits extends MessageLimits {
  /** Interim answers (1xx) to one request. Default 8. */
  readonly interimCount: number;
  /** How long a request with `Expect: 100-continue` waits before it sends its content all the same. Default 1000. */
  readonly continueMs: number;
}

/**
 * The defaults. An answer may take as long as its call: the time that a quiet upstream is given is the caller's
 * deadline, so `bodyIdleMs` is unlimited here.
 */
export const http1ClientLimits: Http1ClientLimits = {
  ...messageLimits,
  bodyIdleMs: Number.POSITIVE_INFINITY,
  interimCount: 8,
  continueMs: 1000,
};

/** The units of gRPC's timeout, largest first, in milliseconds (grpc/grpc `doc/PROTOCOL-HTTP2.md`). */
const units: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000001,
};

/** `grpc-timeout` in milliseconds; undefined if the text is none: up to eight digits and a unit. */
export function readGrpcTimeout(text: string): number | undefined {
  const unit = units[text.charAt(text.length - 1)];
  const digits = text.slice(0, -1);
  return unit !== undefined && /^\d{1,8}$/.test(digits) ? Number(digits) * unit : undefined;
}

/** Milliseconds (0 or more) as `grpc-timeout`, rounded down: a hop never extends a deadline. */
export function writeGrpcTimeout(ms: number): string {
  // Eight digits are all there is room for: 27 hours in milliseconds, then in seconds, then in hours.
  if (ms < 1) return `${Math.floor(ms * 1_000_000)}n`;
  if (ms < 1000) return `${Math.floor(ms * 1000)}u`;
  // From here on a millisecond is at most a thousandth, and the few values are remembered by both ends of a connection.
  if (ms < 100_000_000) return `${Math.floor(ms)}m`;
  if (ms < 100_000_000_000) return `${Math.floor(ms / 1000)}S`;
  return `${Math.min(99_999_999, Math.floor(ms / 3_600_000))}H`;
}

/** `connect-timeout-ms` in milliseconds: up to ten digits (connectrpc.com/docs/protocol). Undefined if the text is none. */
export function readConnectTimeout(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** Milliseconds (0 or more) as `connect-timeout-ms`, rounded down. */
export function writeConnectTimeout(ms: number): string {
  return `${Math.min(9_999_999_999, Math.floor(ms))}`;
}

/** `x-request-timeout` in milliseconds: decimal seconds, e.g. `2.5`. Undefined if the text is none. */
export function readRequestTimeout(text: string): number | undefined {
  return /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) * 1000 : undefined;
}

let knownMs = Number.NaN;
let knownText = '';

/**
 * Milliseconds (0 or more) as `x-request-timeout`, rounded down to the microsecond, and from a second on, where that is at
 * most a thousandth, to the millisecond: then most are as the one before, and need not be written anew.
 */
export function writeRequestTimeout(ms: number): string {
  if (ms < 1000) return `${Math.floor(ms * 1000) / 1_000_000}`;
  const wholeMs = Math.floor(ms);
  if (wholeMs !== knownMs) {
    knownMs = wholeMs;
    knownText = `${wholeMs / 1000}`;
  }
  return knownText;
}

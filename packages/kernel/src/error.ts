/** The sixteen gRPC status codes other than OK, as words (grpc/grpc `doc/statuscodes.md`). There are no others. */
export const codes = [
  'cancelled',
  'unknown',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
  'unauthenticated',
] as const;

/** One of the sixteen. The position in `codes` plus one is the gRPC number. */
export type Code = (typeof codes)[number];

/** A typed piece of evidence beside an error, as `google.rpc.Status.details`: `type` names its schema. */
export interface ErrorDetail {
  readonly type: string;
  readonly value: unknown;
}

/** What a `HeddleError` is made from. */
export interface HeddleErrorInit {
  readonly code: Code;
  /** A stable constant in UPPER_SNAKE_CASE that programs may compare, e.g. `NO_INSTANCES`. */
  readonly reason: string;
  /** For people: what was expected, what was found, where, what to do. Never a secret. */
  readonly message: string;
  readonly cause?: unknown;
  /** False only if the request provably did not reach a handler. Default true: it may have happened. */
  readonly sent?: boolean;
  readonly details?: readonly ErrorDetail[];
}

const noDetails: readonly ErrorDetail[] = [];

/**
 * The one error of Heddle. Two errors are the same failure when `code` and `reason` agree; the text is for
 * people. It becomes an HTTP status, a gRPC status or a broker's disposition only at the edges.
 */
export class HeddleError extends Error {
  override readonly name = 'HeddleError';
  readonly code: Code;
  readonly reason: string;
  readonly sent: boolean;
  readonly details: readonly ErrorDetail[];

  constructor(init: HeddleErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.reason = init.reason;
    this.sent = init.sent ?? true;
    this.details = init.details ?? noDetails;
  }

  /** True for the same failure: equal code, and equal reason where one is given. */
  is(code: Code, reason?: string): boolean {
    return this.code === code && (reason === undefined || this.reason === reason);
  }

  /** The same failure with some parts replaced; the original becomes the cause. */
  with(change: Partial<Omit<HeddleErrorInit, 'cause'>>): HeddleError {
    const { code, reason, message, sent, details } = this;
    return new HeddleError({ code, reason, message, sent, details, ...change, cause: this });
  }

  /**
   * Any thrown thing as a `HeddleError`. One is returned as it is; an `AbortError` becomes `cancelled`;
   * all else is `unknown` with reason `UNEXPECTED`, since only a mistake in code throws otherwise.
   */
  static from(thrown: unknown): HeddleError {
    if (thrown instanceof HeddleError) return thrown;
    if (thrown instanceof Error && thrown.name === 'AbortError') {
      if (thrown.cause instanceof HeddleError) return thrown.cause;
      return new HeddleError({
        code: 'cancelled',
        reason: 'ABORTED',
        message: thrown.message,
        cause: thrown,
      });
    }
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new HeddleError({ code: 'unknown', reason: 'UNEXPECTED', message, cause: thrown });
  }
}

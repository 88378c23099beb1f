import { type Code, HeddleError } from '@heddle/kernel';

/** Why a message cannot be read, and the status that a server answers with. The words are stable. */
const statuses = {
  BAD_REQUEST_LINE: 400,
  BAD_STATUS_LINE: 400,
  BAD_TARGET: 400,
  BAD_FIELD: 400,
  BAD_HOST: 400,
  BAD_CONTENT_LENGTH: 400,
  BAD_TRANSFER_ENCODING: 400,
  BAD_CONNECTION: 400,
  BAD_CHUNK: 400,
  BAD_TRAILER: 400,
  BAD_UPGRADE: 400,
  REQUEST_TIMEOUT: 408,
  BODY_TOO_LARGE: 413,
  TARGET_TOO_LONG: 414,
  EXPECTATION_UNKNOWN: 417,
  MISDIRECTED: 421,
  HEAD_TOO_LARGE: 431,
  TRANSFER_CODING_UNKNOWN: 501,
  VERSION_UNKNOWN: 505,
} as const;

/** See `statuses`. */
export type RefusalReason = keyof typeof statuses;

const codeByStatus: Readonly<Record<number, Code>> = {
  408: 'deadline_exceeded',
  413: 'resource_exhausted',
  414: 'resource_exhausted',
  431: 'resource_exhausted',
  501: 'unimplemented',
  505: 'unimplemented',
};

/** A message that cannot be read in exactly one way, or is beyond a limit. `message` says what was found. */
export function refusal(reason: RefusalReason, message: string): HeddleError {
  return new HeddleError({ code: codeByStatus[statuses[reason]] ?? 'invalid_argument', reason, message });
}

/** The status for the sender of a refused request; undefined for an error that is not a refusal. */
export function refusalStatus(error: HeddleError): number | undefined {
  return Object.hasOwn(statuses, error.reason) ? statuses[error.reason as RefusalReason] : undefined;
}

import { type Code, codes } from '@heddle/kernel';

/** The number of a code in `grpc-status` (grpc/grpc `doc/statuscodes.md`). 0, success, is no code. */
export function numberOfCode(code: Code): number {
  return codes.indexOf(code) + 1;
}

/** The code of a number; `unknown` for one that the protocol does not have. */
export function codeOfNumber(number: number): Code {
  return codes[number - 1] ?? 'unknown';
}

const byHttpStatus: Readonly<Record<number, Code>> = {
  400: 'internal',
  401: 'unauthenticated',
  403: 'permission_denied',
  404: 'unimplemented',
  429: 'unavailable',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
};

/** The code for an answer without a `grpc-status` (grpc/grpc `doc/http-grpc-status-mapping.md`). */
export function codeOfHttpStatus(status: number): Code {
  return byHttpStatus[status] ?? 'unknown';
}

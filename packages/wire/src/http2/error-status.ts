import type { Code } from '@heddle/kernel';

// As google/rpc/code.proto maps them; 499 is nginx's word for a client that has left.
const statuses: Readonly<Record<Code, number>> = {
  cancelled: 499,
  unknown: 500,
  invalid_argument: 400,
  deadline_exceeded: 504,
  not_found: 404,
  already_exists: 409,
  permission_denied: 403,
  resource_exhausted: 429,
  failed_precondition: 400,
  aborted: 409,
  out_of_range: 400,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  data_loss: 500,
  unauthenticated: 401,
};

/** The status with which a service's rejection is answered when no layer above has made a response of it. */
export function statusOfError(code: Code): number {
  return statuses[code];
}

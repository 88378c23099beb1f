import { attempt, type Call } from '@heddle/kernel';
import { type Fields, previousAttempts, writeContext } from '@heddle/wire';

const connectTimeout = 'connect-timeout-ms';

/** Puts on a request which attempt it is, and the context of its call, time left included. */
export function addCallFields(fields: Fields, call: Call): void {
  const number = call.get(attempt);
  if (number > 1) fields.set(previousAttempts, String(number - 1));
  // Says in which form the time left is to be written.
  const timed = fields.has('connect-protocol-version') && call.remainingMs() !== Number.POSITIVE_INFINITY;
  if (timed) fields.set(connectTimeout, '0');
  writeContext(call, fields);
}

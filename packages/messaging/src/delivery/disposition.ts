import type { Code, HeddleError } from '@heddle/kernel';

/** What becomes of a message whose handler failed. */
export type Disposition = 'retry' | 'dead-letter';

// What would fail again however often it is tried: the message itself is at fault.
const hopeless: ReadonlySet<Code> = new Set([
  'invalid_argument',
  'out_of_range',
  'unimplemented',
  'data_loss',
  'permission_denied',
  'unauthenticated',
]);

/** Where an error code becomes a broker's disposition. Everything else may do better later. */
export function dispositionOf(error: HeddleError): Disposition {
  return hopeless.has(error.code) ? 'dead-letter' : 'retry';
}

import { HeddleError } from '@heddle/kernel';
import type { Fields } from '@heddle/wire';

/** What a server sent beside the messages of a call that failed. */
export interface ErrorMetadata {
  readonly header: Fields;
  /** Where the status came with the header, that. */
  readonly trailer: Fields;
}

/** The type of the detail in which it stays with the error. It is no message, so it does not travel any further. */
const metadataType = 'rpc-metadata';

/** The error with that. */
export function withMetadata(error: HeddleError, value: ErrorMetadata): HeddleError {
  const { code, reason, message, sent, details } = error;
  const all = [...details, { type: metadataType, value }];
  return new HeddleError({ code, reason, message, sent, details: all });
}

/** What came with a call's error; undefined for one that no server has sent. */
export function errorMetadata(error: HeddleError): ErrorMetadata | undefined {
  return error.details.find(({ type }) => type === metadataType)?.value as ErrorMetadata | undefined;
}

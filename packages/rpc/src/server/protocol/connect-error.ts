import { HeddleError } from '@heddle/kernel';
import { encodeBinary, type Fields } from '@heddle/wire';
import { travellingDetails, writeReason } from '../../status/status-fields.ts';

const encoder = new TextEncoder();

/** An error as Connect's JSON (connectrpc.com/docs/protocol, "Error"). */
interface ErrorJson {
  readonly code: string;
  readonly message: string;
  readonly details: readonly { readonly type: string; readonly value: string }[];
}

function errorJson(error: HeddleError): ErrorJson {
  // Its name for this one code is spelt in American English; the other fifteen are ours.
  const code = error.code === 'cancelled' ? 'canceled' : error.code;
  const details = travellingDetails(error).map(({ type, value }) => ({ type, value: encodeBinary(value) }));
  return { code, message: error.message, details };
}

/** The body of the answer to a unary call that failed. */
export function connectError(error: HeddleError): Uint8Array {
  return encoder.encode(JSON.stringify(errorJson(error)));
}

/** The content of the envelope that ends a stream. */
export function connectEnd(failure: HeddleError | undefined, trailer: Fields): Uint8Array {
  const metadata: Record<string, string[]> = Object.create(null);
  if (failure !== undefined) writeReason(failure, trailer);
  for (const [name, value] of trailer) (metadata[name] ??= []).push(value);
  const end = {
    ...(failure === undefined ? {} : { error: errorJson(failure) }),
    ...(trailer.size === 0 ? {} : { metadata }),
  };
  return encoder.encode(JSON.stringify(end));
}

/** Throws `invalid_argument` for a version that is not 1. A client need not name one. */
export function checkConnectVersion(fields: Fields): void {
  const version = fields.get('connect-protocol-version');
  if (version === undefined || version === '1') return;
  const text = JSON.stringify(version.slice(0, 40));
  const message = `connect-protocol-version is ${text}, and only version 1 is known`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_PROTOCOL_VERSION', message });
}

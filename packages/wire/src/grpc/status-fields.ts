import { HeddleError } from '@heddle/kernel';
import type { Fields } from '../message/fields.ts';
import { decodeBinary, decodeText, encodeBinary, encodeText } from './field-text.ts';
import { codeOfHttpStatus, codeOfNumber, numberOfCode } from './status-code.ts';

/** Longer texts are cut: trailers have to fit into the receiver's header list. */
const longestMessage = 2048;
const mostDetailBytes = 4096;
const detailsField = 'grpc-status-details-bin';

/** A trailer of Heddle's: the call provably reached no handler, so any call may be sent again elsewhere. */
const unprocessed = 'x-heddle-unprocessed';

/**
 * Adds `grpc-status`, and for an error `grpc-message`, to trailers. `details` is a serialized `google.rpc.Status`;
 * over 4 KiB it is left out, since a status without details is better than trailers that nobody takes.
 */
export function writeGrpcStatus(
  error: HeddleError | undefined,
  fields: Fields,
  details?: Uint8Array,
): Fields {
  if (error === undefined) return fields.set('grpc-status', '0');
  const message = encodeText(error.message.slice(0, longestMessage));
  fields.set('grpc-status', String(numberOfCode(error.code))).set('grpc-message', message);
  if (details !== undefined && details.byteLength <= mostDetailBytes)
    fields.append(detailsField, encodeBinary(details));
  // Said by a server whose own layers refused the call before a handler saw it; see `readGrpcStatus`.
  if (!error.sent) fields.append(unprocessed, '1');
  return fields;
}

/**
 * What trailers say: undefined for success, else an error of reason `UPSTREAM_STATUS`, without details (see
 * `readStatusDetails`). Without a `grpc-status` the HTTP status decides: reason `NO_GRPC_STATUS`.
 */
export function readGrpcStatus(trailers: Fields, httpStatus: number): HeddleError | undefined {
  const text = trailers.get('grpc-status');
  if (text === '0') return undefined;
  if (text === undefined) {
    const message = `the answer has no grpc-status; its HTTP status is ${httpStatus}`;
    return new HeddleError({ code: codeOfHttpStatus(httpStatus), reason: 'NO_GRPC_STATUS', message });
  }
  return new HeddleError({
    code: codeOfNumber(Number(text)),
    reason: 'UPSTREAM_STATUS',
    message: decodeText(trailers.get('grpc-message') ?? ''),
    sent: trailers.get(unprocessed) !== '1',
  });
}

/** The `google.rpc.Status` beside a status, serialized; undefined where there is none that is base64. */
export function readStatusDetails(trailers: Fields): Uint8Array | undefined {
  const text = trailers.get(detailsField);
  if (text === undefined) return undefined;
  try {
    return decodeBinary(text);
  } catch {
    // The status itself has been understood; details that cannot be read must not hide it.
    return undefined;
  }
}

/** The wait before a retry that the server asked for, in milliseconds; negative: no retry (gRFC A6). */
export function readPushbackMs(trailers: Fields): number | undefined {
  const text = trailers.get('grpc-retry-pushback-ms');
  if (text === undefined) return undefined;
  // Anything that is not a wait means: do not retry.
  return /^\d{1,9}$/.test(text) ? Number(text) : -1;
}

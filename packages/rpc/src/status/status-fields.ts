import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Code, codes, type ErrorDetail, HeddleError } from '@heddle/kernel';
import type { Fields } from '@heddle/wire';
import { ErrorInfoSchema } from '../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../gen/google/rpc/status_pb.ts';
import { detail, findDetails } from './details.ts';
import { decodeBinary, decodeMessage, encodeBinary, encodeMessage } from './metadata.ts';

/** The domain under which Heddle's reasons travel as `google.rpc.ErrorInfo`. */
const domain = 'heddle';
const typePrefix = 'type.googleapis.com/';
/** Longer texts are cut: trailers have to fit into the receiver's header list. */
const longestMessage = 2048;
const mostDetailBytes = 4096;

/** The number of a code in `grpc-status`. */
export function statusNumber(code: Code): number {
  return codes.indexOf(code) + 1;
}

/** Adds `grpc-status`, and for an error `grpc-message` and `grpc-status-details-bin`, to trailers. */
export function writeStatus(error: HeddleError | undefined, fields: Fields): Fields {
  if (error === undefined) return fields.set('grpc-status', '0');
  const code = statusNumber(error.code);
  const message = error.message.slice(0, longestMessage);
  fields.set('grpc-status', String(code)).set('grpc-message', encodeMessage(message));
  const info = detail(ErrorInfoSchema, { reason: error.reason, domain });
  const details = [info, ...error.details].flatMap(({ type, value }) => {
    return value instanceof Uint8Array ? [{ typeUrl: `${typePrefix}${type}`, value }] : [];
  });
  const status = toBinary(StatusSchema, create(StatusSchema, { code, message, details }));
  if (status.byteLength <= mostDetailBytes) fields.append('grpc-status-details-bin', encodeBinary(status));
  // Said by a server whose own layers refused the call before a handler saw it; see `readStatus`.
  if (!error.sent) fields.append(unprocessed, '1');
  return fields;
}

/** A trailer of Heddle's: the call provably reached no handler, so any call may be sent again elsewhere. */
const unprocessed = 'x-heddle-unprocessed';

/**
 * What trailers say: undefined for success, else the error. Without a `grpc-status` the code follows from the HTTP
 * status (grpc/grpc `doc/http-grpc-status-mapping.md`).
 */
export function readStatus(trailers: Fields, httpStatus: number): HeddleError | undefined {
  const text = trailers.get('grpc-status');
  if (text === undefined) return missingStatus(httpStatus);
  if (text === '0') return undefined;
  const code = codes[Number(text) - 1] ?? 'unknown';
  const message = decodeMessage(trailers.get('grpc-message') ?? '');
  const sent = trailers.get(unprocessed) !== '1';
  const details = readDetails(trailers.get('grpc-status-details-bin'));
  const error = new HeddleError({
    code,
    reason: 'UPSTREAM_STATUS',
    message,
    sent,
    details: pushback(trailers, details),
  });
  const info = findDetails(error, ErrorInfoSchema).find((each) => each.domain === domain);
  if (info === undefined) return error;
  const others = error.details.filter((each) => each.type !== ErrorInfoSchema.typeName);
  return new HeddleError({ code, reason: info.reason, message, sent, details: others });
}

/** The type of the detail by which a server's wish for the next retry reaches `pushbackMs`. */
const pushbackType = 'grpc-retry-pushback-ms';

/** The wait before a retry that the server asked for, in milliseconds; negative: no retry (gRFC A6). */
export function pushbackMs(error: HeddleError): number | undefined {
  const found = error.details.find((each) => each.type === pushbackType);
  return typeof found?.value === 'number' ? found.value : undefined;
}

function pushback(trailers: Fields, details: readonly ErrorDetail[]): readonly ErrorDetail[] {
  const text = trailers.get('grpc-retry-pushback-ms');
  if (text === undefined) return details;
  // Anything that is not a wait means: do not retry.
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  return [...details, { type: pushbackType, value }];
}

function readDetails(text: string | undefined): ErrorDetail[] {
  if (text === undefined) return [];
  try {
    const status = fromBinary(StatusSchema, decodeBinary(text));
    return status.details.map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf('/') + 1),
      value,
    }));
  } catch {
    // The status itself has been understood; details that cannot be read must not hide it.
    return [];
  }
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

function missingStatus(httpStatus: number): HeddleError {
  const code = byHttpStatus[httpStatus] ?? 'unknown';
  const message = `the answer has no grpc-status; its HTTP status is ${httpStatus}`;
  return new HeddleError({ code, reason: 'NO_GRPC_STATUS', message });
}

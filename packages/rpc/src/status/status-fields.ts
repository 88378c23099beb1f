import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type ErrorDetail, HeddleError } from '@heddle/kernel';
import {
  type Fields,
  numberOfCode,
  readGrpcStatus,
  readPushbackMs,
  readStatusDetails,
  writeGrpcStatus,
} from '@heddle/wire';
import { StatusSchema } from '../gen/google/rpc/status_pb.ts';

/**
 * A trailer of Heddle's, beside the status: the error's reason. A detail of `google.rpc.ErrorInfo` would say it too, but
 * details are the application's, and a client may rely on getting those that its server gave and no others.
 */
export const reasonField = 'x-heddle-reason';
const isReason = /^[A-Z][A-Z0-9_]{0,62}$/;
const typePrefix = 'type.googleapis.com/';

/** A detail that can travel: a serialized message and its full name. */
export interface TravellingDetail {
  readonly type: string;
  readonly value: Uint8Array;
}

/** Those of an error's details that can go over any wire. */
export function travellingDetails(error: HeddleError): TravellingDetail[] {
  return error.details.flatMap(({ type, value }) => (value instanceof Uint8Array ? [{ type, value }] : []));
}

/** Adds the error's reason, where it has the form of one, to trailers or what stands for them. */
export function writeReason({ reason }: HeddleError, fields: Fields): Fields {
  return isReason.test(reason) ? fields.set(reasonField, reason) : fields;
}

/** The reason that a Heddle server has put there. */
export function reasonOf(fields: Fields): string | undefined {
  const said = fields.get(reasonField);
  return said !== undefined && isReason.test(said) ? said : undefined;
}

/** Adds `grpc-status`, and for an error `grpc-message`, its details and its reason, to trailers. */
export function writeStatus(error: HeddleError | undefined, fields: Fields): Fields {
  if (error === undefined) return writeGrpcStatus(undefined, fields);
  const details = travellingDetails(error).map(({ type, value }) => ({
    typeUrl: `${typePrefix}${type}`,
    value,
  }));
  if (details.length === 0) return writeReason(error, writeGrpcStatus(error, fields));
  const { code, message } = error;
  const status = create(StatusSchema, { code: numberOfCode(code), message: message.slice(0, 2048), details });
  return writeReason(error, writeGrpcStatus(error, fields, toBinary(StatusSchema, status)));
}

/**
 * What trailers say: undefined for success, else the error with its details, and with Heddle's own reason where a
 * Heddle server sent it. Without a `grpc-status` the code follows from the HTTP status.
 */
export function readStatus(trailers: Fields, httpStatus: number): HeddleError | undefined {
  const error = readGrpcStatus(trailers, httpStatus);
  if (error === undefined) return undefined;
  const { code, message, sent } = error;
  const details = [...readDetails(trailers), ...pushback(trailers)];
  const reason = reasonOf(trailers) ?? error.reason;
  if (details.length === 0 && reason === error.reason) return error;
  return new HeddleError({ code, reason, message, sent, details });
}

/** The type of the detail by which a server's wish for the next retry reaches `pushbackMs`. */
const pushbackType = 'grpc-retry-pushback-ms';

/** The wait before a retry that the server asked for, in milliseconds; negative: no retry (gRFC A6). */
export function pushbackMs(error: HeddleError): number | undefined {
  const found = error.details.find((each) => each.type === pushbackType);
  return typeof found?.value === 'number' ? found.value : undefined;
}

function pushback(trailers: Fields): ErrorDetail[] {
  const value = readPushbackMs(trailers);
  return value === undefined ? [] : [{ type: pushbackType, value }];
}

function readDetails(trailers: Fields): ErrorDetail[] {
  const bytes = readStatusDetails(trailers);
  if (bytes === undefined) return [];
  try {
    return fromBinary(StatusSchema, bytes).details.map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf('/') + 1),
      value,
    }));
  } catch {
    // As with base64 that is none: the status itself has been understood.
    return [];
  }
}

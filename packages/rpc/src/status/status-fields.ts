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
import { ErrorInfoSchema } from '../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../gen/google/rpc/status_pb.ts';
import { detail, findDetails } from './details.ts';

/** The domain under which Heddle's reasons travel as `google.rpc.ErrorInfo`. */
const domain = 'heddle';
const typePrefix = 'type.googleapis.com/';

/** A detail that can travel: a serialized message and its full name. */
export interface TravellingDetail {
  readonly type: string;
  readonly value: Uint8Array;
}

/** What goes with an error on any wire: its reason as an `ErrorInfo`, and those of its details that can travel. */
export function travellingDetails(error: HeddleError): TravellingDetail[] {
  const info = detail(ErrorInfoSchema, { reason: error.reason, domain });
  return [info, ...error.details].flatMap(({ type, value }) =>
    value instanceof Uint8Array ? [{ type, value }] : [],
  );
}

/** Adds `grpc-status`, and for an error `grpc-message` and `grpc-status-details-bin`, to trailers. */
export function writeStatus(error: HeddleError | undefined, fields: Fields): Fields {
  if (error === undefined) return writeGrpcStatus(undefined, fields);
  const details = travellingDetails(error).map(({ type, value }) => ({
    typeUrl: `${typePrefix}${type}`,
    value,
  }));
  const { code, message } = error;
  const status = create(StatusSchema, { code: numberOfCode(code), message: message.slice(0, 2048), details });
  return writeGrpcStatus(error, fields, toBinary(StatusSchema, status));
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
  if (details.length === 0) return error;
  const all = new HeddleError({ code, reason: error.reason, message, sent, details });
  const info = findDetails(all, ErrorInfoSchema).find((each) => each.domain === domain);
  if (info === undefined) return all;
  const others = details.filter((each) => each.type !== ErrorInfoSchema.typeName);
  return new HeddleError({ code, reason: info.reason, message, sent, details: others });
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

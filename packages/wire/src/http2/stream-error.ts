import { type Code, HeddleError } from '@heddle/kernel';
import { type ErrorCode, errorCode, errorCodeName } from './error-code.ts';

/**
 * What a stream that the peer reset failed with: the gRPC code that its error code stands for (grpc/grpc
 * `doc/PROTOCOL-HTTP2.md`, "HTTP2 Transport Mapping"). Reason `STREAM_RESET`, or `STREAM_REFUSED` with `sent: false`.
 */
export function errorOfReset(code: ErrorCode): HeddleError {
  if (code === errorCode.refusedStream) {
    const message = 'the peer refused the stream before it looked at it: try again, there or elsewhere';
    return new HeddleError({ code: 'unavailable', reason: 'STREAM_REFUSED', message, sent: false });
  }
  const message = `the peer reset the stream with ${errorCodeName(code)}`;
  return new HeddleError({ code: grpcCode(code), reason: 'STREAM_RESET', message });
}

/** The error code that tells a peer why we give up a stream. */
export function resetCodeOf(error: HeddleError): ErrorCode {
  if (error.code === 'cancelled' || error.code === 'deadline_exceeded') return errorCode.cancel;
  return errorCode.internalError;
}

function grpcCode(code: ErrorCode): Code {
  switch (code) {
    case errorCode.cancel:
      return 'cancelled';
    case errorCode.enhanceYourCalm:
      return 'resource_exhausted';
    case errorCode.inadequateSecurity:
      return 'permission_denied';
    case errorCode.streamClosed:
      return 'unknown';
    default:
      return 'internal';
  }
}

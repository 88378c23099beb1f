export { contextFields, propagateIn, propagateOut, readContext, writeContext } from './context/propagate.ts';
export { previousAttempts } from './context/previous-attempts.ts';
export { type AutoLimits, type Endpoint, type EndpointOptions, endpoint } from './endpoint.ts';
export {
  type Body,
  collect,
  emptyBody,
  type StreamBodyOptions,
  streamBody,
  wholeBody,
  wholeBytes,
} from './message/body.ts';
export {
  acceptableCompression,
  acceptedEncodings,
  type Compression,
  compressionOf,
  messageTooLarge,
} from './grpc/compression.ts';
export { decodeBinary, decodeText, encodeBinary, encodeText } from './grpc/field-text.ts';
export { compressedFrame, frame, frameHead } from './grpc/framing.ts';
export { fewMessagesOf, type MessageReading, messagesOf } from './grpc/messages.ts';
export { codeOfHttpStatus, codeOfNumber, numberOfCode } from './grpc/status-code.ts';
export { readGrpcStatus, readPushbackMs, readStatusDetails, writeGrpcStatus } from './grpc/status-fields.ts';
export { base64Body, encodeBase64, webTrailers } from './grpc/web.ts';
export type { Http1ServerLimits } from './http1/server-limits.ts';
export type { AbuseCounters, Http2Limits } from './http2/index.ts';
export { Fields } from './message/fields.ts';
export { type HttpRequest, type HttpResponse, type HttpService, type Peer, peer } from './message/http.ts';
export { classifyHttp, idempotencyOfMethod, replayHttp, retryAfterMs } from './message/meaning.ts';
export { type BodySink, type BodySource, IncomingBody } from './message/incoming-body.ts';
export { statusOfCode } from './message/status-of-code.ts';
export type { EndpointTls } from './pool/dial.ts';
export type { Http1PoolLimits } from './pool/http1-pool.ts';
export type { Http2PoolLimits } from './pool/http2-pool.ts';
export type { EndpointState, StateListener } from './pool/link.ts';
export {
  type HttpServer,
  type ServeOptions,
  type ServerLimits,
  type ServeTls,
  type ServeTlsByName,
  serve,
} from './server.ts';
export { TcpRelay } from './tcp/tcp-relay.ts';

/** Error codes of RST_STREAM and GOAWAY (RFC 9113 section 7). */
export const errorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;

/** Any 32-bit number: unknown ones are to be treated as `internalError`. */
export type ErrorCode = number;

// biome-ignore format: by number
const names = [
  'NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'FLOW_CONTROL_ERROR', 'SETTINGS_TIMEOUT', 'STREAM_CLOSED',
  'FRAME_SIZE_ERROR', 'REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR', 'CONNECT_ERROR', 'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED',
];

/** The RFC's name of a code, for people. */
export function errorCodeName(code: ErrorCode): string {
  return names[code] ?? `0x${code.toString(16)}`;
}

/** The peer broke the protocol in a way that ends the connection: thrown while a frame is handled, told by GOAWAY. */
export class ConnectionFault extends Error {
  override readonly name = 'ConnectionFault';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The peer broke the protocol in a way that ends one stream: thrown while a frame is handled, told by RST_STREAM. */
export class StreamFault extends Error {
  override readonly name = 'StreamFault';
  readonly streamId: number;
  readonly code: ErrorCode;

  constructor(streamId: number, code: ErrorCode, message: string) {
    super(message);
    this.streamId = streamId;
    this.code = code;
  }
}

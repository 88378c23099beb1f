import type { HeddleError } from '@heddle/kernel';
import {
  emptyBody,
  encodeBase64,
  Fields,
  frame,
  type HttpResponse,
  webTrailers,
  wholeBody,
} from '@heddle/wire';
import { writeStatus } from '../../status/status-fields.ts';
import { type Codec, json, proto } from './codec.ts';
import { checkConnectVersion, connectEnd } from './connect-error.ts';

/** What distinguishes the protocols that put each message into an envelope of five bytes. */
export interface Dialect {
  /** Of the request, and so of the answer. */
  readonly contentType: string;
  readonly codec: Codec;
  readonly encodingField: string;
  readonly acceptField: string;
  /** Whether its unary calls come in envelopes. Connect's do not. */
  readonly unary: boolean;
  /** Whether bodies are base64 (gRPC-Web's text mode). */
  readonly text: boolean;
  /** Whether the trailer is HTTP's. Elsewhere the body carries it. */
  readonly httpTrailer: boolean;
  /** Throws for a request that this protocol forbids. */
  check(fields: Fields): void;
  /** Adds how the call ended to the trailer. Returns the last envelope, where the body carries that. */
  close(failure: HeddleError | undefined, trailer: Fields): Uint8Array | undefined;
}

const connectEndFlag = 2;

/** grpc/grpc `doc/PROTOCOL-HTTP2.md`. */
function grpc(contentType: string, codec: Codec): Dialect {
  return {
    contentType,
    codec,
    encodingField: 'grpc-encoding',
    acceptField: 'grpc-accept-encoding',
    unary: true,
    text: false,
    httpTrailer: true,
    check: () => {},
    close: (failure, trailer) => void writeStatus(failure, trailer),
  };
}

/** grpc/grpc `doc/PROTOCOL-WEB.md`: the trailer is the last envelope, since browsers show no trailers. */
function grpcWeb(contentType: string, codec: Codec): Dialect {
  const text = contentType.startsWith('application/grpc-web-text');
  const close: Dialect['close'] = (failure, trailer) => webTrailers(writeStatus(failure, trailer));
  return { ...grpc(contentType, codec), text, httpTrailer: false, close };
}

/** connectrpc.com/docs/protocol, streaming calls. */
function connect(contentType: string, codec: Codec): Dialect {
  return {
    contentType,
    codec,
    encodingField: 'connect-content-encoding',
    acceptField: 'connect-accept-encoding',
    unary: false,
    text: false,
    httpTrailer: false,
    check: checkConnectVersion,
    close: (failure, trailer) => frame(connectEnd(failure, trailer), connectEndFlag),
  };
}

/** By media type. */
export const dialects: ReadonlyMap<string, Dialect> = new Map(
  [
    grpc('application/grpc', proto),
    grpc('application/grpc+proto', proto),
    grpc('application/grpc+json', json),
    grpcWeb('application/grpc-web', proto),
    grpcWeb('application/grpc-web+proto', proto),
    grpcWeb('application/grpc-web+json', json),
    grpcWeb('application/grpc-web-text', proto),
    grpcWeb('application/grpc-web-text+proto', proto),
    connect('application/connect+proto', proto),
    connect('application/connect+json', json),
  ].map((each) => [each.contentType, each]),
);

/**
 * The answer with nothing but a status: in gRPC `Trailers-Only`, unless a handler has set a header, which would be taken
 * for a trailer there; elsewhere an answer with the last envelope only.
 */
export function refuseInDialect(
  dialect: Dialect,
  error: HeddleError,
  header: Fields = new Fields(),
  trailer: Fields = new Fields(),
): HttpResponse {
  const plain = [...header].every(([name]) => name === dialect.acceptField);
  const fields = header.set('content-type', dialect.contentType);
  const last = dialect.close(error, trailer);
  if (last !== undefined)
    return { status: 200, fields, body: wholeBody(dialect.text ? encodeBase64(last) : last) };
  if (!plain) return { status: 200, fields, body: wholeBody(new Uint8Array(0), trailer) };
  for (const [name, value] of trailer) fields.append(name, value);
  return { status: 200, fields, body: emptyBody };
}

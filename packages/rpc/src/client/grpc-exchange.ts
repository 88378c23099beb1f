import { attempt, type Call, HeddleError, settleThen, valueOf } from '@heddle/kernel';
import {
  acceptedEncodings,
  type Body,
  compressedFrame,
  type Compression,
  compressionOf,
  fewMessagesOf,
  Fields,
  frame,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  type MessageReading,
  messagesOf,
  previousAttempts,
  streamBody,
  wholeBody,
  wholeBytes,
  writeContext,
} from '@heddle/wire';
import { deflate, gzip } from '@heddle/wire/compression';
import { headBytes } from '../codec/encode-framed.ts';
import { takeLoad } from '../load/take-load.ts';
import { withMetadata } from '../status/error-metadata.ts';
import { readStatus } from '../status/status-fields.ts';
import { framedOf, pathOf, type RpcRequest, type RpcResponse, type RpcService } from './rpc-call.ts';

/** What an exchange may be told, whichever protocol it speaks. */
export interface ExchangeOptions {
  /** Host and port for `:authority`. */
  readonly authority: string;
  /** Largest message that is taken. Default 4 MiB. */
  readonly maxMessageBytes?: number;
  /** Compresses what is sent. The server has to know it. Default: nothing is compressed. */
  readonly compress?: Compression;
}

/** What answers may be compressed by; said with every request. */
export const knownCompressions: readonly Compression[] = [gzip, deflate];
const accepted = acceptedEncodings(knownCompressions);

/**
 * Speaks gRPC over an HTTP client, one attempt at a time (grpc/grpc `doc/PROTOCOL-HTTP2.md`), with the call's context on
 * each request: the time left is that of this attempt.
 *
 * A unary call resolves when message and status have come; any other when its header fields have, and it ends with
 * its last message. The HTTP exchange is a child: it may go well in every byte and still bring an error status.
 */
export function grpcExchange(http: HttpService, options: ExchangeOptions): RpcService {
  const { authority, maxMessageBytes = 4 * 1024 * 1024, compress } = options;
  return (req, call) => {
    const exchange = call.child();
    const send = (request: HttpRequest): Promise<RpcResponse> =>
      settleThen(http, request, exchange, (result) =>
        result.ok ? answerFrom(req, result.value, call, exchange, maxMessageBytes) : valueOf(result),
      );
    const request = requestFor(req, authority, call, compress);
    return request instanceof Promise ? request.then(send) : send(request);
  };
}

function answerFrom(
  req: RpcRequest,
  response: HttpResponse,
  call: Call,
  exchange: Call,
  maxMessageBytes: number,
): RpcResponse | Promise<RpcResponse> {
  if (isTrailersOnly(response) || !isGrpcAnswer(response)) return withoutBody(req, response, exchange);
  if (req.method.methodKind === 'unary') {
    const message = onlyMessage(response, maxMessageBytes);
    if (message !== undefined) return answered(response, message, call);
  }
  const reading = { limitBytes: maxMessageBytes, compression: compressionOfAnswer(response, exchange) };
  if (req.method.methodKind === 'unary') return once(response, reading, call);
  return streaming(response, reading, call, exchange);
}

function requestFor(
  req: RpcRequest,
  authority: string,
  call: Call,
  compress: Compression | undefined,
): HttpRequest | Promise<HttpRequest> {
  const fields = fieldsFor(req.fields);
  if (compress !== undefined) fields.set('grpc-encoding', compress.name);
  const number = call.get(attempt);
  if (number > 1) fields.set(previousAttempts, String(number - 1));
  // Last: it differs from call to call, and what comes before is the same bytes on the wire.
  writeContext(call, fields);
  const ready = compress === undefined ? framedOf(req) : undefined;
  if (ready !== undefined) return post(req, authority, fields, wholeBody(ready));
  const { input } = req;
  if (!(input instanceof Uint8Array))
    return post(req, authority, fields, streamBody(framed(input, compress)));
  if (compress === undefined) return post(req, authority, fields, wholeBody(frame(input)));
  return compressedFrame(input, compress).then((bytes) => post(req, authority, fields, wholeBody(bytes)));
}

function post(req: RpcRequest, authority: string, fields: Fields, body: Body): HttpRequest {
  return { method: 'POST', scheme: 'http', authority, path: pathOf(req), fields, body };
}

/** What every request says, in an order of its own. */
const usual: readonly string[] = Fields.of({
  'content-type': 'application/grpc',
  te: 'trailers',
  'grpc-accept-encoding': accepted,
  'user-agent': 'heddle',
}).raw;

/** The caller's fields, with those of the protocol in place of his. */
function fieldsFor(own: Fields): Fields {
  if (own.size === 0) return new Fields(usual.slice());
  const fields = own.clone().set('content-type', 'application/grpc').set('te', 'trailers');
  fields.set('grpc-accept-encoding', accepted);
  return fields.has('user-agent') ? fields : fields.append('user-agent', 'heddle');
}

/** Messages in envelopes, as they come. */
export async function* framed(
  messages: AsyncIterable<Uint8Array>,
  compress: Compression | undefined,
): AsyncGenerator<Uint8Array, void> {
  for await (const message of messages)
    yield compress === undefined ? frame(message) : await compressedFrame(message, compress);
}

/** The status has come with the header. Where a body or trailers follow, a status in the header says nothing. */
function isTrailersOnly({ fields, body }: HttpResponse): boolean {
  return fields.has('grpc-status') && wholeBytes(body)?.byteLength === 0 && body.trailers === undefined;
}

function isGrpcAnswer({ status, fields }: HttpResponse): boolean {
  const type = fields.get('content-type');
  // Nearly always the plain name, which costs less to compare.
  return status === 200 && (type === 'application/grpc' || type?.startsWith('application/grpc') === true);
}

/** An error as a rule; OK where no message at all is a complete answer. */
function withoutBody({ method }: RpcRequest, response: HttpResponse, exchange: Call): RpcResponse {
  response.body.cancel();
  const error = statusWith(response, response.fields);
  exchange.end(error);
  if (error !== undefined) throw error;
  const { methodKind } = method;
  if (methodKind === 'server_streaming' || methodKind === 'bidi_streaming')
    return { header: response.fields, trailer: response.fields, output: noMessages() };
  throw messageCount('no message');
}

/** How the call ended, with all that the server sent beside its messages. */
function statusWith({ fields, status }: HttpResponse, trailer: Fields): HeddleError | undefined {
  const error = readStatus(trailer, status);
  return error === undefined ? undefined : withMetadata(error, { header: fields, trailer });
}

/** gRPC's word for an answer with too many messages or too few in a call that has one. */
export function messageCount(found: string): HeddleError {
  const message = `the server answered with status OK and ${found}`;
  return new HeddleError({ code: 'unimplemented', reason: 'MESSAGE_COUNT', message });
}

/** Where the status is: behind the messages, or in the header of an answer that has nothing else. */
function trailerOf({ body, fields }: HttpResponse, messages: number): Fields {
  return body.trailers ?? (messages === 0 ? fields : new Fields());
}

const none = new Fields();

async function* noMessages(): AsyncGenerator<Uint8Array, void> {}

function compressionOfAnswer(response: HttpResponse, exchange: Call): Compression | undefined {
  try {
    return compressionOf(response.fields.get('grpc-encoding'), knownCompressions);
  } catch (thrown) {
    // The server's mistake: it was told what is known here.
    const error = HeddleError.from(thrown).with({ code: 'internal' });
    response.body.cancel(error);
    exchange.end(error);
    throw error;
  }
}

/**
 * The message of an answer that is all there, is one message, and is not compressed: nearly every answer to a unary call.
 * Undefined for all others, which take the longer way.
 */
function onlyMessage({ body }: HttpResponse, limitBytes: number): Uint8Array | undefined {
  const bytes = wholeBytes(body);
  if (bytes === undefined || bytes.length < headBytes || bytes[0] !== 0) return undefined;
  const [, a = 0, b = 0, c = 0, d = 0] = bytes;
  const length = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  return length <= limitBytes && bytes.length === headBytes + length ? bytes.subarray(headBytes) : undefined;
}

function answered(response: HttpResponse, output: Uint8Array, call: Call): RpcResponse {
  const trailer = trailerOf(response, 1);
  takeLoad(trailer, call);
  const error = statusWith(response, trailer);
  if (error !== undefined) throw error;
  return { header: response.fields, trailer, output };
}

async function once(response: HttpResponse, reading: MessageReading, call: Call): Promise<RpcResponse> {
  const messages = await fewMessagesOf(response.body, reading, 1);
  // The rest has not been read: whatever its status is, this is no answer to a unary call.
  if (messages.length > 1) throw messageCount('several messages');
  const trailer = trailerOf(response, messages.length);
  takeLoad(trailer, call);
  const error = statusWith(response, trailer);
  if (error !== undefined) throw error;
  const [output] = messages;
  if (output === undefined) throw messageCount('no message');
  return { header: response.fields, trailer, output };
}

function streaming(response: HttpResponse, reading: MessageReading, call: Call, exchange: Call): RpcResponse {
  const { body, fields: header } = response;
  let taken = 0;
  const statusOf = (): HeddleError | undefined => statusWith(response, trailerOf(response, taken));
  call.deferEnd();
  // The exchange ends when its body has been read, left or broken off: all that can happen to the call.
  exchange.onEnd(({ error }) => {
    takeLoad(body.trailers ?? none, call);
    call.end(error ?? statusOf());
  });
  // What waits unread counts against the connection's window, and nobody may come to read it.
  call.onCancel((error) => body.cancel(error));
  const output = async function* (): AsyncGenerator<Uint8Array, void> {
    for await (const message of messagesOf(body, reading)) {
      // What had come before the call was given up is not wanted either.
      call.throwIfCancelled();
      taken++;
      yield message;
    }
    const error = statusOf();
    if (error !== undefined) throw error;
  };
  return {
    header,
    get trailer(): Fields {
      return trailerOf(response, taken);
    },
    output: output(),
  };
}

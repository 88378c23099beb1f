import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { type Call, HeddleError } from '@heddle/kernel';
import { type HttpRequest, type HttpResponse, type HttpService, streamBody } from '@heddle/wire';
import { thrownByHandler } from './handler-error.ts';
import type { ClientStreamingHandler, ServerStreamingHandler, UnaryHandler } from './handlers.ts';
import { metadata } from './metadata.ts';
import type { Codec } from './protocol/codec.ts';
import type { EnvelopedExchange } from './protocol/enveloped-exchange.ts';
import type { Exchange, ExchangeLimits } from './protocol/exchange.ts';
import { openStream, openUnary, streamTypes, unaryTypes, wrongType } from './protocol/open-exchange.ts';
import { endUnlessBegun, orCancelled, untilCancelled } from './response-stream.ts';

/** What all kinds of handlers have in common, once their input is known. */
type AnyHandler = (input: never, call: Call) => unknown;
type Unary = UnaryHandler<DescMessage, DescMessage>;
type AnswersOnce = ClientStreamingHandler<DescMessage, DescMessage>;
type AnswersMany = ServerStreamingHandler<DescMessage, DescMessage>;

/**
 * One method as an HTTP service that speaks gRPC, gRPC-Web and Connect, by the request's content type. It always
 * resolves: an error becomes the answer's status, and the call's end. A call that streams back ends when its last
 * message has been taken.
 */
export function route(method: DescMethod, handler: AnyHandler, limits: ExchangeLimits): HttpService {
  if (method.methodKind === 'unary') return unaryRoute(method, handler as unknown as Unary, limits);
  return streamRoute(method, handler, limits);
}

function unaryRoute(method: DescMethod, handler: Unary, limits: ExchangeLimits): HttpService {
  const name = nameOf(method);
  return async (req, call) => {
    const exchange = openUnary(req, limits);
    if (exchange === undefined) return wrongType(unaryTypes);
    call.set(metadata, exchange);
    try {
      const bytes = await exchange.message(name);
      const { codec } = exchange;
      const output = await handler(codec.decode(method.input, bytes), call);
      return await exchange.answer(codec.encode(method.output, output));
    } catch (thrown) {
      return failed(thrown, exchange, req, call, name);
    }
  };
}

function streamRoute(method: DescMethod, handler: AnyHandler, limits: ExchangeLimits): HttpService {
  const name = nameOf(method);
  const takesMany = method.methodKind !== 'server_streaming';
  return async (req, call) => {
    const exchange = openStream(req, limits);
    if (exchange === undefined) return wrongType(streamTypes);
    call.set(metadata, exchange);
    const { codec } = exchange;
    try {
      const input = takesMany
        ? decodeAll(codec, method.input, exchange.messages())
        : codec.decode(method.input, await exchange.message(name));
      if (method.methodKind === 'client_streaming') {
        const output = await (handler as unknown as AnswersOnce)(input as never, call);
        req.body.cancel();
        return await exchange.answer(codec.encode(method.output, output));
      }
      const output = (handler as unknown as AnswersMany)(input as never, call);
      return await stream(method, output, exchange, call);
    } catch (thrown) {
      return failed(thrown, exchange, req, call, name);
    }
  };
}

function failed(
  thrown: unknown,
  exchange: Exchange,
  req: HttpRequest,
  call: Call,
  method: string,
): HttpResponse {
  req.body.cancel();
  const error = thrownByHandler(thrown, call, method);
  call.deferEnd();
  call.end(error);
  return exchange.refuse(error);
}

/** Waits for the first message, so that a failure before it is a plain refusal, and then streams. */
async function stream(
  method: DescMethod,
  output: AsyncIterable<MessageInitShape<DescMessage>>,
  exchange: EnvelopedExchange,
  call: Call,
): Promise<HttpResponse> {
  const messages = untilCancelled(output, call);
  const first = await orCancelled(messages.next(), call);
  const begin = endUnlessBegun(call);
  call.onEnd(() => void messages.return());
  const chunks = async function* (): AsyncGenerator<Uint8Array, void> {
    begin();
    let failure: HeddleError | undefined = readerLeft();
    try {
      try {
        for (let step = first; step.done !== true; step = await messages.next())
          yield await exchange.pack(exchange.codec.encode(method.output, step.value));
        // A call that was given up before this began has closed its messages: they must not look complete.
        failure = call.outcome?.error;
      } catch (thrown) {
        failure = thrownByHandler(thrown, call, nameOf(method));
      }
      const last = exchange.close(failure);
      if (last !== undefined) yield last;
    } finally {
      call.end(failure);
    }
  };
  return exchange.begin(streamBody(chunks(), { trailers: () => exchange.httpTrailer }));
}

async function* decodeAll<Desc extends DescMessage>(
  codec: Codec,
  schema: Desc,
  messages: AsyncIterable<Uint8Array>,
): AsyncGenerator<MessageShape<Desc>, void> {
  for await (const message of messages) yield codec.decode(schema, message);
}

function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

function readerLeft(): HeddleError {
  return new HeddleError({
    code: 'cancelled',
    reason: 'READER_LEFT',
    message: 'the client has left the stream',
  });
}

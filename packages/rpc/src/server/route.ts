import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { type Ambient, type Call, HeddleError } from '@heddle/kernel';
import { type HttpRequest, type HttpResponse, type HttpService, streamBody } from '@heddle/wire';
import { type LoadReporter, loadTrailer } from '../load/load-reporter.ts';
import { thrownByHandler } from './handler-error.ts';
import type { ClientStreamingHandler, ServerStreamingHandler, UnaryHandler } from './handlers.ts';
import { metadata } from './metadata.ts';
import type { Codec } from './protocol/codec.ts';
import type { EnvelopedExchange } from './protocol/enveloped-exchange.ts';
import type { Exchange, ExchangeLimits } from './protocol/exchange.ts';
import { openStream, openUnary, streamTypes, unaryTypes, wrongType } from './protocol/open-exchange.ts';
import { endUnlessBegun, UntilCancelled } from './response-stream.ts';

/** What every route of a service keeps to. */
export interface RouteOptions extends ExchangeLimits {
  readonly ambient: Ambient | undefined;
  readonly load: LoadReporter | undefined;
}

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
export function route(method: DescMethod, handler: AnyHandler, options: RouteOptions): HttpService {
  const { ambient } = options;
  const within: AnyHandler =
    ambient === undefined ? handler : (input, call) => ambient.run(call, () => handler(input, call));
  if (method.methodKind === 'unary') return unaryRoute(method, within as unknown as Unary, options);
  return streamRoute(method, within, options);
}

function unaryRoute(method: DescMethod, handler: Unary, options: RouteOptions): HttpService {
  const name = nameOf(method);
  return async (req, call) => {
    const exchange = openUnary(req, options);
    if (exchange === undefined) return wrongType(unaryTypes);
    call.set(metadata, exchange);
    reportLoad(req, call, exchange, options.load);
    try {
      const bytes = await exchange.message(name);
      const { codec } = exchange;
      const output = await handler(codec.decode(method.input, bytes), call);
      return await exchange.answer(method.output, output);
    } catch (thrown) {
      return failed(thrown, exchange, req, call, name);
    }
  };
}

function streamRoute(method: DescMethod, handler: AnyHandler, options: RouteOptions): HttpService {
  const name = nameOf(method);
  const takesMany = method.methodKind !== 'server_streaming';
  return async (req, call) => {
    const exchange = openStream(req, options);
    if (exchange === undefined) return wrongType(streamTypes);
    call.set(metadata, exchange);
    reportLoad(req, call, exchange, options.load);
    const { codec } = exchange;
    try {
      const input = takesMany
        ? decodeAll(codec, method.input, exchange.messages())
        : codec.decode(method.input, await exchange.message(name));
      if (method.methodKind === 'client_streaming') {
        const output = await (handler as unknown as AnswersOnce)(input as never, call);
        req.body.cancel();
        return await exchange.answer(method.output, output);
      }
      const output = (handler as unknown as AnswersMany)(input as never, call);
      return await stream(method, output, exchange, call, options.ambient);
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
  ambient: Ambient | undefined,
): Promise<HttpResponse> {
  const source = ambient === undefined ? output : ambientSteps(output, call, ambient);
  const messages = new UntilCancelled(source, call);
  const first = await messages.next();
  const begin = endUnlessBegun(call);
  call.onEnd(() => messages.return());
  const chunks = async function* (): AsyncGenerator<Uint8Array, void> {
    begin();
    let failure: HeddleError | undefined = readerLeft();
    try {
      try {
        for (let step = first; step.done !== true; step = await messages.next())
          yield await exchange.pack(method.output, step.value);
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

/** A generator goes on in the context of whoever asks for its next value: here each step gets that of its call. */
function ambientSteps<T>(source: AsyncIterable<T>, call: Call, ambient: Ambient): AsyncIterable<T> {
  const iterator = source[Symbol.asyncIterator]();
  const steps: AsyncIterator<T> = {
    next: () => ambient.run(call, () => iterator.next()),
    return: async () => {
      await ambient.run(call, async () => iterator.return?.());
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => steps };
}

/** Only to clients of gRPC: elsewhere a trailer would go into the body or the header, where nobody looks for it. */
function reportLoad(
  req: HttpRequest,
  call: Call,
  exchange: Exchange,
  reporter: LoadReporter | undefined,
): void {
  if (reporter === undefined) return;
  call.onEnd(({ error }) => reporter.count(error !== undefined));
  if (/^application\/grpc(?!-web)/.test(req.fields.get('content-type') ?? ''))
    exchange.trailer.append(loadTrailer, reporter.text);
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

import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { type Call, HeddleError } from '@heddle/kernel';
import {
  type Body,
  fewMessagesOf,
  Fields,
  frame,
  type HttpResponse,
  type HttpService,
  messagesOf,
  streamBody,
} from '@heddle/wire';
import { writeStatus } from '../status/status-fields.ts';
import { answer, answerWith, refusal, thrownByHandler } from './answer.ts';
import type { ClientStreamingHandler, ServerStreamingHandler } from './handlers.ts';
import { type Metadata, metadata } from './metadata.ts';
import { endUnlessBegun, orCancelled, untilCancelled } from './response-stream.ts';

/** What all kinds of handlers have in common, once their input is known. */
type AnyHandler = (input: never, call: Call) => unknown;

/**
 * One method as an HTTP service that speaks gRPC. It always resolves: an error becomes the answer's status, and the
 * call's end. A call that streams back ends when its last message has been taken.
 */
export function route(method: DescMethod, handler: AnyHandler, maxMessageBytes: number): HttpService {
  const name = `${method.parent.typeName}/${method.name}`;
  return async (req, call) => {
    const beside: Metadata = { request: req.fields, header: new Fields(), trailer: new Fields() };
    call.set(metadata, beside);
    try {
      const input = await readInput(method, req.body, maxMessageBytes);
      if (answersOnce(method)) {
        const run = handler as unknown as ClientStreamingHandler<DescMessage, DescMessage>;
        const output = await run(input as never, call);
        req.body.cancel();
        return answer(toBinary(method.output, create(method.output, output)), beside);
      }
      const run = handler as unknown as ServerStreamingHandler<DescMessage, DescMessage>;
      return await stream(method, run(input as never, call), beside, call, name);
    } catch (thrown) {
      req.body.cancel();
      const error = thrownByHandler(thrown, call, name);
      call.deferEnd();
      call.end(error);
      return refusal(error, beside);
    }
  };
}

function answersOnce(method: DescMethod): boolean {
  return method.methodKind === 'unary' || method.methodKind === 'client_streaming';
}

async function readInput(
  method: DescMethod,
  body: Body,
  limitBytes: number,
): Promise<MessageShape<DescMessage> | AsyncIterable<MessageShape<DescMessage>>> {
  if (method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming') {
    return decodeAll(method.input, messagesOf(body, { limitBytes }));
  }
  const [message, second] = await fewMessagesOf(body, { limitBytes }, 1);
  if (message !== undefined && second === undefined) return decode(method.input, message);
  const found = message === undefined ? 'none' : 'more';
  const text = `${method.parent.typeName}/${method.name} takes one message, and ${found} came`;
  throw new HeddleError({ code: 'unimplemented', reason: 'MESSAGE_COUNT', message: text });
}

/** Waits for the first message, so that a failure before it is a plain refusal, and then streams. */
async function stream(
  method: DescMethod,
  output: AsyncIterable<MessageInitShape<DescMessage>>,
  beside: Metadata,
  call: Call,
  name: string,
): Promise<HttpResponse> {
  const messages = untilCancelled(output, call);
  const first = await orCancelled(messages.next(), call);
  const begin = endUnlessBegun(call);
  call.onEnd(() => void messages.return());
  const frames = async function* (): AsyncGenerator<Uint8Array, void> {
    begin();
    let failure: HeddleError | undefined = readerLeft();
    try {
      for (let step = first; step.done !== true; step = await messages.next()) {
        yield frame(toBinary(method.output, create(method.output, step.value)));
      }
      failure = undefined;
    } catch (thrown) {
      failure = thrownByHandler(thrown, call, name);
    } finally {
      writeStatus(failure, beside.trailer);
      call.end(failure);
    }
  };
  return answerWith(streamBody(frames(), { trailers: () => beside.trailer }), beside);
}

async function* decodeAll<Desc extends DescMessage>(
  schema: Desc,
  messages: AsyncIterable<Uint8Array>,
): AsyncGenerator<MessageShape<Desc>, void> {
  for await (const message of messages) yield decode(schema, message);
}

function decode<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    const message = `the request is not a ${schema.typeName}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_MESSAGE', message, cause });
  }
}

function readerLeft(): HeddleError {
  return new HeddleError({
    code: 'cancelled',
    reason: 'READER_LEFT',
    message: 'the client has left the stream',
  });
}

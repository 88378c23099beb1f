import { type DescMessage, type DescMethod, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import type { DescMethodStreaming, DescMethodUnary, DescService } from '@bufbuild/protobuf';
import type { StreamResponse, UnaryResponse } from '@connectrpc/connect';
import { HeddleError } from '@heddle/kernel';
import type { RpcResponse } from '../client/rpc-call.ts';
import { headersOf } from './headers.ts';

/** What both kinds share. Web headers are costly, so they are made only for who looks at them. */
class Answer<Method extends DescMethod> {
  readonly method: Method;
  readonly #response: RpcResponse;

  constructor(method: Method, response: RpcResponse) {
    this.method = method;
    this.#response = response;
  }

  get service(): DescService {
    return this.method.parent;
  }

  get header(): Headers {
    return headersOf(this.#response.header);
  }

  get trailer(): Headers {
    return headersOf(this.#response.trailer);
  }
}

/** Connect's form of a response with one message. */
export class UnaryAnswer<I extends DescMessage, O extends DescMessage>
  extends Answer<DescMethodUnary<I, O>>
  implements UnaryResponse<I, O>
{
  readonly stream = false;
  readonly message: MessageShape<O>;

  constructor(method: DescMethodUnary<I, O>, response: RpcResponse) {
    super(method, response);
    this.message = decode(method.output, response.output as Uint8Array);
  }
}

/** Connect's form of a response with many. */
export class StreamAnswer<I extends DescMessage, O extends DescMessage>
  extends Answer<DescMethodStreaming<I, O>>
  implements StreamResponse<I, O>
{
  readonly stream = true;
  readonly message: AsyncIterable<MessageShape<O>>;

  constructor(method: DescMethodStreaming<I, O>, response: RpcResponse) {
    super(method, response);
    this.message = decodeAll(method.output, response.output as AsyncIterable<Uint8Array>);
  }
}

async function* decodeAll<O extends DescMessage>(
  schema: O,
  messages: AsyncIterable<Uint8Array>,
): AsyncGenerator<MessageShape<O>, void> {
  for await (const message of messages) yield decode(schema, message);
}

function decode<O extends DescMessage>(schema: O, bytes: Uint8Array): MessageShape<O> {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    const message = `the response is not a ${schema.typeName}`;
    throw new HeddleError({ code: 'internal', reason: 'BAD_MESSAGE', message, cause });
  }
}

import {
  type DescMethod,
  type DescService,
  fromJson,
  type JsonValue,
  type Message,
} from '@bufbuild/protobuf';
import type { RpcHandlers } from '@heddle/rpc';
import { messageExample } from '../example/message-example.ts';

/** Messages in each stream that a mock sends. */
const streamLength = 2;

/** Handlers for all methods of a service, which answer with examples. */
export function mockHandlers<Desc extends DescService>(service: Desc): RpcHandlers<Desc> {
  const handlers = service.methods.map((method) => [method.localName, handlerOf(method)]);
  return Object.fromEntries(handlers) as RpcHandlers<Desc>;
}

function handlerOf(method: DescMethod): unknown {
  const answer = (): Message => fromJson(method.output, messageExample(method.output) as JsonValue);
  switch (method.methodKind) {
    case 'unary':
      return async () => answer();
    case 'client_streaming':
      return async (requests: AsyncIterable<unknown>) => {
        for await (const _ of requests);
        return answer();
      };
    case 'server_streaming':
      return async function* () {
        for (let left = streamLength; left > 0; left--) yield answer();
      };
    case 'bidi_streaming':
      return async function* (requests: AsyncIterable<unknown>) {
        for await (const _ of requests) yield answer();
      };
  }
}

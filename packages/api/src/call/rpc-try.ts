import { type DescMethod, fromJson, type JsonValue, type Message, toJson } from '@bufbuild/protobuf';
import { HeddleError } from '@heddle/kernel';
import { createClient, type RpcTransport } from '@heddle/rpc';
import type { Json } from '../contract/json.ts';

/** What goes with a call. */
export interface RpcTryOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Default 10000. */
  readonly timeoutMs?: number;
}

type Answers = AsyncIterable<Message>;

/**
 * Calls a method of any of the four patterns with messages as JSON, and gives what comes back as JSON, one at a time.
 * Rejects with `invalid_argument` / `BAD_MESSAGE` for what is no message of it, and with what the server says.
 */
export async function* tryRpc(
  transport: RpcTransport,
  method: DescMethod,
  inputs: AsyncIterable<Json>,
  { headers = {}, timeoutMs = 10_000 }: RpcTryOptions = {},
): AsyncGenerator<Json, void> {
  const client = createClient(method.parent, transport) as Readonly<
    Record<string, (...args: unknown[]) => unknown>
  >;
  const call = client[method.localName];
  if (call === undefined) return;
  const options = { headers, timeoutMs };
  const given = messagesOf(method, inputs);
  const shown = (message: Message): Json => toJson(method.output, message) as Json;
  switch (method.methodKind) {
    case 'unary':
      yield shown((await call(await only(method, given), options)) as Message);
      return;
    case 'client_streaming':
      yield shown((await call(given, options)) as Message);
      return;
    case 'server_streaming':
      for await (const message of call(await only(method, given), options) as Answers) yield shown(message);
      return;
    case 'bidi_streaming':
      for await (const message of call(given, options) as Answers) yield shown(message);
  }
}

async function* messagesOf(method: DescMethod, inputs: AsyncIterable<Json>): AsyncGenerator<Message, void> {
  for await (const input of inputs) {
    try {
      yield fromJson(method.input, input as JsonValue);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw badMessage(`${method.input.typeName}: ${why}`);
    }
  }
}

async function only(method: DescMethod, given: AsyncIterable<Message>): Promise<Message> {
  const all: Message[] = [];
  for await (const message of given) all.push(message);
  const [message] = all;
  if (message !== undefined && all.length === 1) return message;
  throw badMessage(`${method.name} takes one message, found ${all.length}`);
}

function badMessage(message: string): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_MESSAGE', message, sent: false });
}

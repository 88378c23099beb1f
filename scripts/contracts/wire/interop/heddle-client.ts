// Our RPC client as one of the clients that the cases run with.
import type {
  DescMessage,
  DescMethodStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { codes, HeddleError, type Runtime } from '@heddle/kernel';
import { createTransport, type RpcTransport } from '@heddle/rpc';
import { gzip } from '@heddle/wire/compression';
import type { Place } from '../../../engines/engine.ts';
import type { Dialogue, DialogueOptions, InteropClient, InteropMethod, Status } from './dialogue.ts';
import { MessageQueue } from './message-queue.ts';

/** A client of the server at `target`. */
export function heddleClient(runtime: Runtime, target: Place): InteropClient {
  const options = { runtime, target: `${target.host}:${target.port}` };
  const plain = createTransport(options);
  const compressing = createTransport({ ...options, compress: gzip });
  return {
    showsEncoding: true,
    open: (method, dialogue = {}) =>
      new HeddleDialogue(dialogue.compressed === true ? compressing : plain, method, dialogue),
    close: async () => {
      plain.close();
      compressing.close();
    },
  };
}

interface Answer<O extends DescMessage> {
  /** Connect's response; its trailer is complete when all messages have been read. */
  readonly response: { readonly header: Headers; readonly trailer: Headers };
  readonly messages: AsyncIterator<MessageShape<O>>;
}

class HeddleDialogue<I extends DescMessage, O extends DescMessage> implements Dialogue<I, O> {
  status: Status = { code: -1, message: 'not ended' };
  readonly #sent = new MessageQueue<MessageInitShape<I>>();
  readonly #abort = new AbortController();
  readonly #answer: Promise<Answer<O>>;
  #response: Answer<O>['response'] | undefined;

  constructor(transport: RpcTransport, method: InteropMethod<I, O>, options: DialogueOptions) {
    this.#answer = this.#start(transport, method, options);
    // Whoever receives hears of it.
    this.#answer.catch(() => {});
  }

  async #start(
    transport: RpcTransport,
    { desc }: InteropMethod<I, O>,
    options: DialogueOptions,
  ): Promise<Answer<O>> {
    const { timeoutMs, metadata = {} } = options;
    const { signal } = this.#abort;
    if (desc.methodKind === 'unary') {
      const message = await this.#sent.only();
      const unary = desc as DescMethodUnary<I, O>;
      const response = await transport.unary(unary, signal, timeoutMs, metadata, message);
      return { response, messages: one(response.message) };
    }
    const streaming = desc as DescMethodStreaming<I, O>;
    const response = await transport.stream(streaming, signal, timeoutMs, metadata, this.#sent);
    return { response, messages: response.message[Symbol.asyncIterator]() };
  }

  send(message: MessageInitShape<I>): void {
    this.#sent.push(message);
  }

  finish(): void {
    this.#sent.end();
  }

  cancel(): void {
    this.#abort.abort();
  }

  async receive(): Promise<MessageShape<O> | undefined> {
    try {
      const { response, messages } = await this.#answer;
      this.#response = response;
      const next = await messages.next();
      if (next.done !== true) return next.value;
      this.status = { code: 0, message: '' };
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      this.status = { code: codes.indexOf(error.code) + 1, message: error.message };
    }
    return undefined;
  }

  header(name: string): string | undefined {
    return this.#response?.header.get(name) ?? undefined;
  }

  trailer(name: string): string | undefined {
    return this.#response?.trailer.get(name) ?? undefined;
  }
}

async function* one<T>(message: T): AsyncGenerator<T, void> {
  yield message;
}

// Our RPC client as the conformance runner starts it: for each call that is asked for it makes it, and tells what came of
// it. Many at once: results may come in any order.
import { create, type DescMethodStreaming, type DescMethodUnary, type Message } from '@bufbuild/protobuf';
import { AnySchema, anyUnpack } from '@bufbuild/protobuf/wkt';
import { createRegistry } from '@bufbuild/protobuf';
import { codes, HeddleError } from '@heddle/kernel';
import { nodeRuntime, TlsStore } from '@heddle/kernel/node';
import { createTransport, type RpcTransport } from '@heddle/rpc';
import { gzip } from '@heddle/wire/compression';
import { delimit, delimited } from './delimited.ts';
import {
  type ClientCompatRequest,
  ClientCompatRequestSchema,
  ClientCompatResponseSchema,
  type ClientResponseResult,
  ClientResponseResultSchema,
} from './gen/connectrpc/conformance/v1/client_compat_pb.ts';
import { Compression } from './gen/connectrpc/conformance/v1/config_pb.ts';
import {
  type ConformancePayload,
  ConformanceService,
  ErrorSchema,
  file_connectrpc_conformance_v1_service,
  type Header,
  HeaderSchema,
} from './gen/connectrpc/conformance/v1/service_pb.ts';

const runtime = nodeRuntime({ name: 'conformance', logLevel: 'error' });
const registry = createRegistry(file_connectrpc_conformance_v1_service);

/** One call, and all that is to be told of it. */
class Conversation {
  readonly #asked: ClientCompatRequest;
  readonly #transport: RpcTransport;
  readonly #abort = new AbortController();
  readonly #result: ClientResponseResult = create(ClientResponseResultSchema);

  constructor(asked: ClientCompatRequest) {
    this.#asked = asked;
    this.#transport = transportFor(asked);
  }

  async run(): Promise<ClientResponseResult> {
    const method = ConformanceService.methods.find(({ name }) => name === this.#asked.method);
    if (method === undefined) throw new Error(`no method ${this.#asked.method ?? ''} is known here`);
    try {
      if (method.methodKind === 'unary') await this.#unary(method as DescMethodUnary);
      else await this.#stream(method as DescMethodStreaming);
    } catch (thrown) {
      this.#failed(HeddleError.from(thrown));
    } finally {
      this.#transport.close();
    }
    return this.#result;
  }

  async #unary(method: DescMethodUnary): Promise<void> {
    const [first] = this.#messages();
    if (first === undefined) throw new Error('a unary call needs a message');
    const answering = this.#transport.unary(method, this.#signal, this.#timeoutMs, this.#header, first);
    this.#afterClose();
    const { header, trailer, message } = await answering;
    this.#result.responseHeaders = listOf(header);
    this.#took(message);
    this.#result.responseTrailers = listOf(trailer);
  }

  async #stream(method: DescMethodStreaming): Promise<void> {
    const { cancel, requestDelayMs } = this.#asked;
    const timing = cancel?.cancelTiming;
    const answers = new Turns();
    const duplex = this.#asked.streamType === 5;
    const abort = (): void => this.#abort.abort();
    const messages = this.#messages();
    const afterClose = (): void => this.#afterClose();
    const send = async function* (): AsyncGenerator<Message, void> {
      for (const message of messages) {
        if (requestDelayMs > 0) await passed(requestDelayMs);
        yield message;
        if (duplex) await answers.next();
      }
      if (timing?.case === 'beforeCloseSend') abort();
      afterClose();
    };
    const response = await this.#transport.stream(method, this.#signal, this.#timeoutMs, this.#header, send());
    this.#result.responseHeaders = listOf(response.header);
    try {
      if (timing?.case === 'afterNumResponses' && timing.value === 0) abort();
      for await (const message of response.message) {
        this.#took(message);
        answers.came();
        if (timing?.case === 'afterNumResponses' && this.#result.payloads.length === timing.value) abort();
      }
    } finally {
      answers.over();
      this.#result.responseTrailers = listOf(response.trailer);
    }
  }

  get #signal(): AbortSignal {
    return this.#abort.signal;
  }

  get #timeoutMs(): number | undefined {
    return this.#asked.timeoutMs ?? 0;
  }

  get #header(): [string, string][] {
    return this.#asked.requestHeaders.flatMap(({ name, value }) =>
      value.map((each): [string, string] => [name, each]),
    );
  }

  #messages(): Message[] {
    return this.#asked.requestMessages.map((any) => {
      const message = anyUnpack(any, registry);
      if (message === undefined) throw new Error(`a message of type ${any.typeUrl} is not known here`);
      return message;
    });
  }

  #afterClose(): void {
    const timing = this.#asked.cancel?.cancelTiming;
    if (timing?.case === 'afterCloseSendMs') setTimeout(() => this.#abort.abort(), timing.value);
  }

  #took(message: Message): void {
    const { payload } = message as Message & { readonly payload?: ConformancePayload };
    if (payload !== undefined) this.#result.payloads.push(payload);
  }

  #failed({ code, message, details }: HeddleError): void {
    const error = create(ErrorSchema, { code: codes.indexOf(code) + 1, message });
    for (const { type, value } of details)
      if (value instanceof Uint8Array)
        error.details.push(create(AnySchema, { typeUrl: `type.googleapis.com/${type}`, value }));
    this.#result.error = error;
  }
}

/** Lets a sender wait for the answer to what it has sent. */
class Turns {
  #answers = 0;
  #wanted = 0;
  #over = false;
  #wake: () => void = () => {};

  came(): void {
    this.#answers++;
    this.#wake();
  }

  over(): void {
    this.#over = true;
    this.#wake();
  }

  async next(): Promise<void> {
    this.#wanted++;
    while (this.#answers < this.#wanted && !this.#over)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }
}

function transportFor(asked: ClientCompatRequest): RpcTransport {
  const { host, port, serverTlsCert, clientTlsCreds, compression, messageReceiveLimit } = asked;
  const identities =
    clientTlsCreds === undefined
      ? []
      : [{ certificates: textOf(clientTlsCreds.cert), privateKey: textOf(clientTlsCreds.key) }];
  const source = new TlsStore({ identities, trust: textOf(serverTlsCert) });
  return createTransport({
    runtime,
    target: `${host}:${port}`,
    ...(serverTlsCert.length === 0 ? {} : { tls: { source } }),
    ...(compression === Compression.GZIP ? { compress: gzip } : {}),
    ...(messageReceiveLimit === 0 ? {} : { maxMessageBytes: messageReceiveLimit }),
  });
}

function textOf(pem: Uint8Array): string {
  return Buffer.from(pem).toString();
}

function listOf(headers: Headers): Header[] {
  return [...headers].map(([name, value]) => create(HeaderSchema, { name, value: value.split(', ') }));
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

async function answer(asked: ClientCompatRequest): Promise<void> {
  const { testName } = asked;
  const response = create(ClientCompatResponseSchema, { testName });
  try {
    response.result = { case: 'response', value: await new Conversation(asked).run() };
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    response.result = { case: 'error', value: { $typeName: 'connectrpc.conformance.v1.ClientErrorResult', message } };
  }
  process.stdout.write(delimit(ClientCompatResponseSchema, response));
}

const answering: Promise<void>[] = [];
for await (const asked of delimited(ClientCompatRequestSchema, process.stdin)) answering.push(answer(asked));
await Promise.all(answering);

// Our RPC client as the conformance runner starts it: for each call that is asked for it makes it, and tells what came of
// it. Some at once: results may come in any order.
import { create, createRegistry, type Message } from '@bufbuild/protobuf';
import { type Any, AnySchema, anyUnpack } from '@bufbuild/protobuf/wkt';
import { type CallOptions, ConnectError } from '@connectrpc/connect';
import { codes, HeddleError } from '@heddle/kernel';
import { nodeRuntime, TlsStore } from '@heddle/kernel/node';
import {
  createClient,
  createTransport,
  errorMetadata,
  type ErrorMetadata,
  type RpcProtocol,
  type RpcTransport,
} from '@heddle/rpc';
import { gzip } from '@heddle/wire/compression';
import { headersOf } from './conformance-service.ts';
import { delimit, delimited } from './delimited.ts';
import {
  type ClientCompatRequest,
  ClientCompatRequestSchema,
  ClientCompatResponseSchema,
  type ClientResponseResult,
  ClientResponseResultSchema,
} from './gen/connectrpc/conformance/v1/client_compat_pb.ts';
import {
  type Code,
  Compression,
  HTTPVersion,
  Protocol,
  StreamType,
} from './gen/connectrpc/conformance/v1/config_pb.ts';
import {
  type ConformancePayload,
  ConformancePayloadSchema,
  ConformanceService,
  ErrorSchema,
  file_connectrpc_conformance_v1_service,
  type Header,
  HeaderSchema,
} from './gen/connectrpc/conformance/v1/service_pb.ts';

const mostAtOnce = 16;
const runtime = nodeRuntime({ name: 'conformance', logLevel: 'error' });
const registry = createRegistry(file_connectrpc_conformance_v1_service);

type Answers = AsyncIterable<Message>;
/** A method of Connect's client, whichever kind it is of. */
type Method = (input: unknown, options: CallOptions) => Promise<Message> | Answers;

/** One call, and all that is to be told of it. */
class Conversation {
  readonly #asked: ClientCompatRequest;
  readonly #transport: RpcTransport;
  readonly #abort = new AbortController();
  readonly #result: ClientResponseResult = create(ClientResponseResultSchema);
  readonly #answers = new Turns();

  constructor(asked: ClientCompatRequest) {
    this.#asked = asked;
    this.#transport = transportFor(asked);
  }

  async run(): Promise<ClientResponseResult> {
    const method = ConformanceService.methods.find(({ name }) => name === this.#asked.method);
    if (method === undefined) throw new Error(`no method ${this.#asked.method ?? ''} is known here`);
    const client = createClient(ConformanceService, this.#transport);
    const call = client[method.localName as keyof typeof client] as unknown as Method;
    const single = method.methodKind === 'unary' || method.methodKind === 'server_streaming';
    const [first] = this.#messages();
    try {
      const answer = call(single ? first : this.#send(), this.#options);
      if (single) this.#afterClose();
      if (answer instanceof Promise) this.#took(await answer);
      else await this.#readAll(answer);
    } catch (thrown) {
      this.#failed(thrown);
    } finally {
      this.#answers.over();
      this.#transport.close();
    }
    return this.#result;
  }

  async #readAll(answers: Answers): Promise<void> {
    const timing = this.#asked.cancel?.cancelTiming;
    const last = timing?.case === 'afterNumResponses' ? timing.value : -1;
    if (last === 0) this.#abort.abort();
    for await (const message of answers) {
      this.#took(message);
      this.#answers.came();
      if (this.#result.payloads.length === last) this.#abort.abort();
    }
  }

  async *#send(): AsyncGenerator<Message, void> {
    const { cancel, requestDelayMs, streamType } = this.#asked;
    for (const message of this.#messages()) {
      if (requestDelayMs > 0) await passed(requestDelayMs);
      yield message;
      if (streamType === StreamType.FULL_DUPLEX_BIDI_STREAM) await this.#answers.next();
    }
    if (cancel?.cancelTiming.case === 'beforeCloseSend') this.#abort.abort();
    this.#afterClose();
  }

  get #options(): CallOptions {
    return {
      signal: this.#abort.signal,
      timeoutMs: this.#asked.timeoutMs ?? 0,
      headers: this.#asked.requestHeaders.flatMap(({ name, value }) =>
        value.map((each): [string, string] => [name, each]),
      ),
      onHeader: (header) => (this.#result.responseHeaders = listOf(header)),
      onTrailer: (trailer) => (this.#result.responseTrailers = listOf(trailer)),
    };
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
    this.#result.payloads.push(payload ?? create(ConformancePayloadSchema));
  }

  #failed(thrown: unknown): void {
    // Connect's client has errors of its own for answers that have too many messages, or too few.
    const { code, message, details, metadata } = partsOf(thrown);
    this.#result.error = create(ErrorSchema, { code, message, details });
    if (metadata === undefined) return;
    this.#result.responseHeaders = headersOf(metadata.header);
    this.#result.responseTrailers = headersOf(metadata.trailer);
  }
}

interface Parts {
  readonly code: Code;
  readonly message: string;
  readonly details: Any[];
  readonly metadata?: ErrorMetadata | undefined;
}

function partsOf(thrown: unknown): Parts {
  if (thrown instanceof ConnectError) return { code: thrown.code, message: thrown.rawMessage, details: [] };
  const error = HeddleError.from(thrown);
  const details = error.details.flatMap(({ type, value }) =>
    value instanceof Uint8Array ? [create(AnySchema, { typeUrl: `type.googleapis.com/${type}`, value })] : [],
  );
  const { code, message } = error;
  return { code: (codes.indexOf(code) + 1) as Code, message, details, metadata: errorMetadata(error) };
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
  const { protocol, httpVersion } = asked;
  const identities =
    clientTlsCreds === undefined
      ? []
      : [{ certificates: textOf(clientTlsCreds.cert), privateKey: textOf(clientTlsCreds.key) }];
  const trust = textOf(serverTlsCert);
  return createTransport({
    runtime,
    target: `${host}:${port}`,
    protocol: protocolOf(protocol),
    http: httpVersion === HTTPVersion.HTTP_VERSION_1 ? 'http1' : 'http2',
    ...(trust === '' ? {} : { tls: { source: new TlsStore({ identities, trust }) } }),
    ...(compression === Compression.GZIP ? { compress: gzip } : {}),
    ...(messageReceiveLimit === 0 ? {} : { maxMessageBytes: messageReceiveLimit }),
  });
}

function protocolOf(protocol: Protocol): RpcProtocol {
  if (protocol === Protocol.CONNECT) return 'connect';
  return protocol === Protocol.GRPC_WEB ? 'grpc-web' : 'grpc';
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
    response.result = {
      case: 'error',
      value: { $typeName: 'connectrpc.conformance.v1.ClientErrorResult', message },
    };
  }
  process.stdout.write(delimit(ClientCompatResponseSchema, response));
}

// Not all at once: some calls have deadlines, and their handshakes would wait for all the others.
const answering = new Set<Promise<void>>();
for await (const asked of delimited(ClientCompatRequestSchema, process.stdin)) {
  const one = answer(asked);
  answering.add(one);
  void one.finally(() => answering.delete(one));
  if (answering.size >= mostAtOnce) await Promise.race(answering);
}
await Promise.all(answering);

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Code, ConnectError, createClient, type Interceptor, type Transport } from '@connectrpc/connect';
import {
  compressionGzip,
  createConnectTransport as nodeConnect,
  createGrpcTransport as nodeGrpc,
  createGrpcWebTransport as nodeGrpcWeb,
} from '@connectrpc/connect-node';
import {
  createConnectTransport as webConnect,
  createGrpcWebTransport as webGrpcWeb,
} from '@connectrpc/connect-web';
import { codes, HeddleError, type Layer } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { BadRequestSchema } from './gen/google/rpc/error_details_pb.ts';
import { EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { metadata } from './server/metadata.ts';
import { rpcServer } from './server/rpc-server.ts';
import { detail } from './status/details.ts';
import { echoHandlers } from './testing/echo-handlers.ts';
import { until } from './testing/wait.ts';

// Connect's own clients against our server: every protocol, over HTTP/1.1 and HTTP/2, from Node and as from a browser.

const runtime = nodeRuntime({ name: 'protocols', logLevel: 'error' });
const requests: HttpRequest[] = [];
const answers: HttpResponse[] = [];
const record: Layer<HttpRequest, HttpResponse> = (next) => async (req, call) => {
  requests.push(req);
  const response = await next(req, call);
  answers.push(response);
  return response;
};
let hanging = 0;
let cancelled = 0;
const server = rpcServer({
  runtime,
  maxMessageBytes: 100_000,
  maxSentMessageBytes: 150_000,
  layers: [record],
  routes: (router) =>
    router.service(EchoService, {
      ...echoHandlers('heddle'),
      append: async ({ text }, call) => {
        const beside = call.get(metadata);
        if (text === 'details') {
          const fieldViolations = [{ field: 'text', description: 'no' }];
          const details = [detail(BadRequestSchema, { fieldViolations })];
          beside?.header.append('x-header', 'h');
          beside?.trailer.append('x-trailer', 't');
          throw new HeddleError({ code: 'invalid_argument', reason: 'BAD', message: 'café', details });
        }
        if (text === 'hang') {
          hanging++;
          await new Promise((_, reject) => call.onCancel(reject)).finally(() => cancelled++);
        }
        if (text === 'large') return { text: 'x'.repeat(150_000) };
        beside?.header.append('x-header', beside.request.get('x-sent') ?? 'none');
        beside?.header.append('x-both', 'one').append('x-both', 'two');
        beside?.trailer.append('x-trailer-bin', beside.request.get('x-sent-bin') ?? '');
        return { text };
      },
      async *expand({ count, text, failWith }, call) {
        call.get(metadata)?.trailer.append('x-trailer', 't');
        for (let n = 0; n < count; n++) yield { text: `${text}${n}` };
        const code = codes[failWith - 1];
        if (code !== undefined) throw new HeddleError({ code, reason: 'ASKED', message: 'no more' });
        if (text === 'hang')
          await new Promise((_, reject) => call.onCancel(reject)).finally(() => cancelled++);
      },
    }),
});
await server.start();
after(() => server.stop());
const baseUrl = `http://127.0.0.1:${server.address.port}`;

interface Subject {
  readonly transport: Transport;
  readonly contentType: RegExp;
  /** What this protocol and this version of HTTP can do. */
  readonly clientStreams: boolean;
  readonly bidiStreams: boolean;
}

const browser = { clientStreams: false, bidiStreams: false };
const half = { clientStreams: true, bidiStreams: false };
const full = { clientStreams: true, bidiStreams: true };
const gzipped = { sendCompression: compressionGzip, compressMinBytes: 0 };
const subjects: Readonly<Record<string, Subject>> = {
  'connect-web, Connect, JSON': {
    transport: webConnect({ baseUrl }),
    contentType: /^application\/(connect\+)?json$/,
    ...browser,
  },
  'connect-web, Connect, binary': {
    transport: webConnect({ baseUrl, useBinaryFormat: true }),
    contentType: /^application\/(connect\+)?proto$/,
    ...browser,
  },
  'connect-web, gRPC-Web, binary': {
    transport: webGrpcWeb({ baseUrl }),
    contentType: /^application\/grpc-web\+proto$/,
    ...browser,
  },
  'connect-web, gRPC-Web, JSON': {
    transport: webGrpcWeb({ baseUrl, useBinaryFormat: false }),
    contentType: /^application\/grpc-web\+json$/,
    ...browser,
  },
  'connect-node, Connect over HTTP/1.1': {
    transport: nodeConnect({ baseUrl, httpVersion: '1.1' }),
    contentType: /^application\/(connect\+)?proto$/,
    ...half,
  },
  'connect-node, Connect over HTTP/2': {
    transport: nodeConnect({ baseUrl, httpVersion: '2' }),
    contentType: /^application\/(connect\+)?proto$/,
    ...full,
  },
  'connect-node, Connect over HTTP/2, JSON, gzip': {
    transport: nodeConnect({ baseUrl, httpVersion: '2', useBinaryFormat: false, ...gzipped }),
    contentType: /^application\/(connect\+)?json$/,
    ...full,
  },
  'connect-node, gRPC-Web over HTTP/1.1': {
    transport: nodeGrpcWeb({ baseUrl, httpVersion: '1.1' }),
    contentType: /^application\/grpc-web\+proto$/,
    ...half,
  },
  'connect-node, gRPC-Web over HTTP/2, gzip': {
    transport: nodeGrpcWeb({ baseUrl, httpVersion: '2', ...gzipped }),
    contentType: /^application\/grpc-web\+proto$/,
    ...full,
  },
  'connect-node, gRPC': {
    transport: nodeGrpc({ baseUrl }),
    contentType: /^application\/grpc\+proto$/,
    ...full,
  },
  'connect-node, gRPC, JSON, gzip': {
    transport: nodeGrpc({ baseUrl, useBinaryFormat: false, ...gzipped }),
    contentType: /^application\/grpc\+json$/,
    ...full,
  },
};

const failure = async (promise: Promise<unknown>): Promise<ConnectError> => {
  const error: unknown = await promise.then(
    () => assert.fail('no error came'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ConnectError, String(error));
  return error;
};

for (const [name, { transport, contentType, clientStreams, bidiStreams }] of Object.entries(subjects)) {
  const client = createClient(EchoService, transport);
  const zipped = name.includes('gzip');

  test(`${name}: unary, with header and trailer`, async () => {
    let header: Headers | undefined;
    let trailer: Headers | undefined;
    const text = 'grüß '.repeat(5000);
    const response = await client.append(
      { text },
      {
        headers: { 'x-sent': 'value', 'x-sent-bin': 'AP8B' },
        onHeader: (headers) => (header = headers),
        onTrailer: (trailers) => (trailer = trailers),
      },
    );
    assert.equal(response.text, text);
    assert.equal(header?.get('x-header'), 'value');
    assert.equal(header?.get('x-both'), 'one, two');
    assert.equal(trailer?.get('x-trailer-bin'), 'AP8B');
    const type = requests.at(-1)?.fields.get('content-type') ?? '';
    assert.match(type, contentType);
    const fields = answers.at(-1)?.fields;
    assert.equal(fields?.get('content-type'), type);
    const encoding = fields?.get('content-encoding') ?? fields?.get('grpc-encoding');
    assert.equal(encoding, zipped ? 'gzip' : undefined);
    assert.equal((await client.append({})).text, '');
  });

  test(`${name}: server stream, to its end and left early`, async () => {
    const texts: string[] = [];
    let trailer: string | null | undefined;
    const options = { onTrailer: (trailers: Headers) => (trailer = trailers.get('x-trailer')) };
    for await (const { text } of client.expand({ text: 'n', count: 3 }, options)) texts.push(text);
    assert.deepEqual(texts, ['n0', 'n1', 'n2']);
    assert.equal(trailer, 't');
    for await (const _ of client.expand({ text: 'none' })) assert.fail('a message came');
    const many = client.expand({ text: 'n', count: 2000 })[Symbol.asyncIterator]();
    assert.equal((await many.next()).value?.text, 'n0');
    await many.return?.();
  });

  test(`${name}: an error after some messages`, async () => {
    const texts: string[] = [];
    const error = await failure(
      (async () => {
        for await (const { text } of client.expand({ text: 'n', count: 2, failWith: 9 })) texts.push(text);
      })(),
    );
    assert.deepEqual(texts, ['n0', 'n1']);
    assert.equal(error.code, Code.FailedPrecondition);
    assert.equal(error.rawMessage, 'no more');
    assert.equal(error.metadata.get('x-trailer'), 't');
  });

  test(`${name}: every code`, async () => {
    for (let code = 1; code <= 16; code++) {
      const error = await failure(client.echo({ text: 'x', failWith: code }));
      assert.equal(error.code, code);
      assert.match(error.rawMessage, /fails on demand: 100 % "[a-z_]+" – as asked/);
    }
  });

  test(`${name}: details and metadata of an error`, async () => {
    const error = await failure(client.append({ text: 'details' }));
    assert.equal(error.code, Code.InvalidArgument);
    assert.equal(error.rawMessage, 'café');
    assert.equal(error.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field, 'text');
    assert.deepEqual([error.metadata.get('x-header'), error.metadata.get('x-trailer')], ['h', 't']);
  });

  test(`${name}: the deadline reaches the handler, and ends the call`, async () => {
    const { remainingMs } = await client.echo({ text: 'x' }, { timeoutMs: 5000 });
    assert.ok(remainingMs > 4000 && remainingMs <= 5000, `${remainingMs}`);
    const error = await failure(client.echo({ text: 'x', delayMs: 5000 }, { timeoutMs: 100 }));
    assert.equal(error.code, Code.DeadlineExceeded);
  });

  test(`${name}: giving up cancels the handler`, { timeout: 10_000 }, async () => {
    hanging = 0;
    cancelled = 0;
    const giveUp = new AbortController();
    const call = failure(client.append({ text: 'hang' }, { signal: giveUp.signal }));
    await until(() => hanging === 1);
    giveUp.abort();
    assert.equal((await call).code, Code.Canceled);
    await until(() => cancelled === 1);
  });

  test(`${name}: messages over the limits, in both directions`, async () => {
    const error = await failure(client.append({ text: 'x'.repeat(100_001) }));
    assert.equal(error.code, Code.ResourceExhausted);
    const answer = await failure(client.append({ text: 'large' }));
    assert.equal(answer.code, Code.ResourceExhausted);
    assert.equal((await client.append({ text: 'still there' })).text, 'still there');
  });

  const messages = async function* (): AsyncGenerator<{ text: string }> {
    for (const text of ['a', '', 'c']) yield { text };
  };
  if (clientStreams)
    test(`${name}: client stream`, async () => {
      assert.equal((await client.collect(messages())).text, 'ac');
    });
  if (bidiStreams)
    test(`${name}: both ways, in turns`, async () => {
      const replies: string[] = [];
      const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const inTurns = async function* (): AsyncGenerator<{ text: string }> {
        yield { text: 'a' };
        await gates[0]?.promise;
        yield { text: 'b' };
        await gates[1]?.promise;
        yield { text: 'c' };
      };
      for await (const { text } of client.chat(inTurns())) gates[replies.push(text) - 1]?.resolve();
      assert.deepEqual(replies, ['a', 'b', 'c']);
    });
}

for (const [name, useBinaryFormat] of [
  ['JSON', false],
  ['binary', true],
] as const)
  test(`Connect's GET, ${name}: only where the method declares that it has no side effects`, async () => {
    const transport = webConnect({ baseUrl, useHttpGet: true, useBinaryFormat });
    const client = createClient(EchoService, transport);
    const text = 'a+b&c=d %é?#/';
    assert.equal((await client.look({ text })).text, text);
    assert.equal(requests.at(-1)?.method, 'GET');
    assert.equal(answers.at(-1)?.fields.get('vary'), 'accept-encoding');
    assert.equal((await failure(client.look({ failWith: 5 }))).code, Code.NotFound);
    assert.equal((await client.echo({ text })).text, text);
    assert.equal(requests.at(-1)?.method, 'POST');
    const squeezing = nodeConnect({
      baseUrl,
      httpVersion: '1.1',
      useHttpGet: true,
      useBinaryFormat,
      ...gzipped,
    });
    assert.equal(
      (await createClient(EchoService, squeezing).look({ text: 'x'.repeat(500) })).text.length,
      500,
    );
    assert.match(requests.at(-1)?.path ?? '', /compression=gzip/);
  });

test('what a layer refuses before the handler, a Connect client gets as its own error', async () => {
  const badTimeout: Interceptor = (next) => async (req) => {
    req.header.set('connect-timeout-ms', 'soon');
    return next(req);
  };
  const transport = webConnect({ baseUrl, interceptors: [badTimeout] });
  const error = await failure(createClient(EchoService, transport).echo({}));
  assert.equal(error.code, Code.InvalidArgument);
  assert.match(error.rawMessage, /connect-timeout-ms/);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as http1Server, type RequestListener } from 'node:http';
import { createServer as http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { gzip } from '@heddle/wire/compression';
import { createTransport, type RpcTransport } from './client/create-transport.ts';
import type { HttpVersion, RpcProtocol } from './client/protocol/exchange-for.ts';
import { createClient } from './connect/create-client.ts';
import { BadRequestSchema } from './gen/google/rpc/error_details_pb.ts';
import { EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { findDetails } from './status/details.ts';
import { errorMetadata } from './status/error-metadata.ts';

// Our client against Connect's own server: every protocol, over HTTP/1.1 and HTTP/2.

const runtime = nodeRuntime({ name: 'client-protocols', logLevel: 'error' });
const seen: { readonly protocol: string; readonly timeoutMs: number | undefined }[] = [];
let left = 0;

const routes = (router: ConnectRouter): ConnectRouter =>
  router.service(EchoService, {
    echo: async (req, context) => {
      seen.push({ protocol: context.protocolName, timeoutMs: context.timeoutMs() });
      context.responseHeader.append('x-header', context.requestHeader.get('x-sent') ?? '');
      context.responseTrailer.append('x-trailer', 't');
      if (req.failWith > 0) {
        const fieldViolations = [{ field: 'text', description: 'no' }];
        const details = [{ desc: BadRequestSchema, value: { fieldViolations } }];
        throw new ConnectError('café', req.failWith, { 'x-trailer': 't' }, details);
      }
      return { text: req.text };
    },
    async *expand({ count, text, failWith }, context) {
      context.responseTrailer.append('x-trailer', 't');
      context.signal.addEventListener('abort', () => left++);
      for (let n = 0; n < count; n++) yield { text: `${text}${n}` };
      if (failWith > 0) throw new ConnectError('no more', failWith as Code);
      if (text === 'hang') await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
    },
    async collect(messages) {
      let text = '';
      for await (const message of messages) text += message.text;
      return { text };
    },
    async *chat(messages) {
      for await (const message of messages) yield { text: message.text.toUpperCase() };
    },
  });

const handler = connectNodeAdapter({ routes });
const sessions = new Set<ServerHttp2Session>();
const servers = {
  http1: http1Server(handler as RequestListener),
  http2: http2Server(handler as Parameters<typeof http2Server>[1] & object),
};
servers.http2.on('session', (session: ServerHttp2Session) => sessions.add(session));
for (const server of Object.values(servers)) await once(server.listen(0, '127.0.0.1'), 'listening');
after(() => {
  for (const session of sessions) session.destroy();
  for (const server of Object.values(servers)) server.close();
});

const ways: readonly (readonly [RpcProtocol, HttpVersion])[] = [
  ['connect', 'http1'],
  ['connect', 'http2'],
  ['grpc-web', 'http1'],
  ['grpc-web', 'http2'],
  ['grpc', 'http2'],
];

function transportTo(protocol: RpcProtocol, http: HttpVersion, more: object = {}): RpcTransport {
  const { port } = servers[http].address() as AddressInfo;
  return createTransport({ runtime, target: `127.0.0.1:${port}`, protocol, http, attempts: 1, ...more });
}

for (const [protocol, http] of ways) {
  describe(`${protocol} over ${http}`, () => {
    const transport = transportTo(protocol, http);
    const client = createClient(EchoService, transport);
    after(() => transport.close());

    test('a unary call brings message, header and trailer', async () => {
      let header: string | null = null;
      let trailer: string | null = null;
      const reply = await client.echo(
        { text: 'hé' },
        {
          headers: { 'x-sent': 'yes' },
          onHeader: (fields) => (header = fields.get('x-header')),
          onTrailer: (fields) => (trailer = fields.get('x-trailer')),
        },
      );
      assert.deepEqual([reply.text, header, trailer], ['hé', 'yes', 't']);
      const last = seen.at(-1);
      assert.equal(last?.protocol, protocol);
      assert.ok(last?.timeoutMs !== undefined && last.timeoutMs <= 15_000, 'the deadline has travelled');
    });

    test('an error brings code, message, details and metadata', async () => {
      const failed = await client.echo({ failWith: Code.NotFound }).catch((error: unknown) => error);
      assert.ok(failed instanceof HeddleError);
      assert.deepEqual([failed.code, failed.message], ['not_found', 'café']);
      assert.equal(findDetails(failed, BadRequestSchema)[0]?.fieldViolations[0]?.field, 'text');
      assert.match(errorMetadata(failed)?.trailer.get('x-trailer') ?? '', /^t/);
    });

    test('a stream of messages ends with its trailer', async () => {
      let trailer: string | null = null;
      const texts: string[] = [];
      const onTrailer = (fields: Headers): void => void (trailer = fields.get('x-trailer'));
      for await (const { text } of client.expand({ count: 3, text: 'm' }, { onTrailer })) texts.push(text);
      assert.deepEqual([texts, trailer], [['m0', 'm1', 'm2'], 't']);
    });

    test('a stream that fails gives what came before', async () => {
      const texts: string[] = [];
      const reading = (async () => {
        for await (const { text } of client.expand({ count: 2, text: 'm', failWith: Code.DataLoss }))
          texts.push(text);
      })();
      await assert.rejects(reading, { code: 'data_loss', message: 'no more' });
      assert.deepEqual(texts, ['m0', 'm1']);
    });

    test('leaving a stream reaches the server', async () => {
      const before = left;
      for await (const { text } of client.expand({ count: 1, text: 'hang' })) {
        assert.equal(text, 'hang0');
        break;
      }
      while (left === before) await new Promise((resolve) => setImmediate(resolve));
    });

    test('the client streams', async () => {
      const many = async function* (): AsyncGenerator<{ text: string }> {
        for (const text of ['a', 'b', 'c']) yield { text };
      };
      assert.equal((await client.collect(many())).text, 'abc');
    });

    test('both stream in turn, or it is said that this needs HTTP/2', async () => {
      let answered: () => void = () => {};
      const inTurn = async function* (): AsyncGenerator<{ text: string }> {
        yield { text: 'a' };
        await new Promise<void>((resolve) => (answered = resolve));
        yield { text: 'b' };
      };
      const texts: string[] = [];
      const talking = (async () => {
        for await (const { text } of client.chat(inTurn())) {
          texts.push(text);
          answered();
        }
      })();
      if (http === 'http1') {
        await assert.rejects(talking, { code: 'unimplemented', reason: 'NEEDS_HTTP2' });
        return;
      }
      await talking;
      assert.deepEqual(texts, ['A', 'B']);
    });

    test('messages compressed both ways, and one that is too large', async () => {
      const compressing = transportTo(protocol, http, { compress: gzip, maxMessageBytes: 2000 });
      const small = createClient(EchoService, compressing);
      assert.equal((await small.echo({ text: 'x'.repeat(1900) })).text.length, 1900);
      await assert.rejects(small.echo({ text: 'x'.repeat(3000) }), { code: 'resource_exhausted' });
      compressing.close();
    });
  });
}

describe('answers that are none of the protocol', () => {
  const odd = http1Server((req, res) => {
    const [, status = '200', type = ''] = /^\/(\d+)-(\S+?)\//.exec(req.headers['x-answer'] as string) ?? [];
    res
      .writeHead(Number(status), { 'content-type': decodeURIComponent(type) })
      .end('{"code":"aborted","message":"m"}');
  });
  after(() => odd.close());

  const rows: readonly (readonly [RpcProtocol, string, string])[] = [
    ['connect', '/503-text%2Fhtml/', 'unavailable'],
    ['connect', '/409-application%2Fjson/', 'aborted'],
    ['connect', '/200-text%2Fhtml/', 'unknown'],
    ['connect', '/200-application%2Fjson/', 'internal'],
    ['grpc-web', '/401-text%2Fhtml/', 'unauthenticated'],
    ['grpc-web', '/200-text%2Fhtml/', 'unknown'],
    ['grpc-web', '/200-application%2Fgrpc-web%2Bjson/', 'internal'],
  ];
  for (const [protocol, answer, code] of rows)
    test(`${protocol}: ${answer} is ${code}`, async () => {
      if (!odd.listening) await once(odd.listen(0, '127.0.0.1'), 'listening');
      const { port } = odd.address() as AddressInfo;
      const transport = createTransport({
        runtime,
        target: `127.0.0.1:${port}`,
        protocol,
        http: 'http1',
        attempts: 1,
      });
      const client = createClient(EchoService, transport);
      await assert.rejects(client.echo({}, { headers: { 'x-answer': answer } }), { code });
      transport.close();
    });
});

test('options that do not go together are refused, all at once', () => {
  const make =
    (options: object): (() => RpcTransport) =>
    () =>
      createTransport({ runtime, target: '127.0.0.1:1', ...options });
  assert.throws(make({ http: 'http1' }), {
    code: 'invalid_argument',
    reason: 'BAD_OPTIONS',
    message: /gRPC/,
  });
  const wrong = make({ protocol: 'soap', http: 'http3' });
  assert.throws(wrong, { reason: 'BAD_OPTIONS', message: /protocol: .*soap.*http: .*http3/ });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toBinary, create } from '@bufbuild/protobuf';
import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { emptyBody, Fields, frame, type HttpRequest, type HttpResponse, wholeBody } from '@heddle/wire';
import { EchoRequestSchema, EchoService } from '../gen/heddle/testing/v1/echo_pb.ts';
import { serverStack } from '../server-stack.ts';
import { readStatus } from '../status/status-fields.ts';
import { rpcService } from './rpc-service.ts';
import type { RpcHandlers } from './handlers.ts';

const log: unknown[] = [];
function setting(): { runtime: Runtime; time: VirtualTime } {
  const time = new VirtualTime();
  const runtime: Runtime = { ...bareRuntime(time), log: (...line) => log.push(line) };
  return { runtime, time };
}

const path = '/heddle.testing.v1.EchoService/Echo';
const message = frame(toBinary(EchoRequestSchema, create(EchoRequestSchema, { text: 'hello' })));
function request(change: Partial<HttpRequest> = {}, fields: Record<string, string> = {}): HttpRequest {
  return {
    method: 'POST',
    scheme: 'http',
    authority: 'x',
    path,
    fields: Fields.of({ 'content-type': 'application/grpc', ...fields }),
    body: wholeBody(message),
    ...change,
  };
}

const statusOf = (response: HttpResponse): HeddleError | undefined => {
  return readStatus(response.body.trailers ?? response.fields, response.status);
};

async function answered(req: HttpRequest, handlers: RpcHandlers<typeof EchoService>): Promise<HttpResponse> {
  const { runtime, time } = setting();
  const service = serverStack(
    rpcService((router) => router.service(EchoService, handlers), { maxMessageBytes: 100 }),
  );
  const result = await time.run(settle(service, req, Call.root(runtime)));
  assert.ok(result.ok, 'a gRPC request always gets an answer');
  return result.value;
}

const echo: RpcHandlers<typeof EchoService> = { echo: ({ text }) => ({ text }) };

test('the exact path reaches the handler, and nothing else does', async () => {
  const hostile = [
    'heddle.testing.v1.EchoService/Echo',
    `/${path}`,
    `${path}/`,
    `${path}?x=1`,
    `${path}#x`,
    `${path}%20`,
    `${path};v=1`,
    '/heddle.testing.v1.EchoService//Echo',
    '/heddle.testing.v1.EchoService/./Echo',
    '/heddle.testing.v1.EchoService/../heddle.testing.v1.EchoService/Echo',
    '/heddle.testing.v1.EchoService/echo',
    '/heddle.testing.v1.echoservice/Echo',
    '/heddle%2Etesting.v1.EchoService/Echo',
    '/heddle.testing.v1.EchoService\\Echo',
    '/HEDDLE.TESTING.V1.ECHOSERVICE/ECHO',
    '/EchoService/Echo',
    '/__proto__/constructor',
    '/',
    '*',
    '',
  ];
  let handled = 0;
  const handlers: RpcHandlers<typeof EchoService> = {
    echo: ({ text }) => {
      handled++;
      return { text };
    },
  };
  assert.equal(statusOf(await answered(request(), handlers)), undefined);
  assert.equal(handled, 1);
  for (const each of hostile) {
    const error = statusOf(await answered(request({ path: each }), handlers));
    assert.equal(error?.code, 'unimplemented', each);
    assert.equal(error?.sent, false, 'another instance may be newer and have it');
  }
  assert.equal(handled, 1);
});

test('what is no gRPC is told so in HTTP', async () => {
  assert.equal((await answered(request({ method: 'GET' }), {})).status, 405);
  assert.equal((await answered(request({ method: 'post' }), {})).status, 405);
  for (const type of ['', 'text/json', 'application/grpcx', 'application/grpc-webx', 'application/connect'])
    for (const served of [{}, echo])
      assert.equal((await answered(request({}, { 'content-type': type }), served)).status, 415, type);
  const typed = request({}, { 'content-type': 'application/grpc+proto; x=1' });
  assert.equal((await answered(typed, {})).status, 200);
});

test('each kind of method has its content types, and says so', async () => {
  const stream = await answered(
    request({ path: '/heddle.testing.v1.EchoService/Expand' }, { 'content-type': 'application/json' }),
    { async *expand() {} },
  );
  assert.equal(stream.status, 415);
  assert.match(stream.fields.get('accept-post') ?? '', /application\/connect\+json/);
  const unary = await answered(request({}, { 'content-type': 'application/connect+json' }), echo);
  assert.equal(unary.status, 415);
  assert.match(unary.fields.get('accept-post') ?? '', /application\/json/);
});

test('a method without a handler is not implemented', async () => {
  assert.equal(statusOf(await answered(request(), {}))?.code, 'unimplemented');
});

const refusals: readonly [string, HttpRequest, string][] = [
  ['no message', request({ body: emptyBody }), 'MESSAGE_COUNT'],
  ['two messages', request({ body: wholeBody(Uint8Array.of(...message, ...message)) }), 'MESSAGE_COUNT'],
  ['a torn message', request({ body: wholeBody(message.subarray(0, 6)) }), 'TORN_MESSAGE'],
  ['a compressed message', request({ body: wholeBody(Uint8Array.of(1, 0, 0, 0, 0)) }), 'UNNAMED_COMPRESSION'],
  ['a message over the limit', request({ body: wholeBody(frame(new Uint8Array(101))) }), 'MESSAGE_TOO_LARGE'],
  ['what is not of this type', request({ body: wholeBody(frame(Uint8Array.of(255, 255))) }), 'BAD_MESSAGE'],
  ['a timeout that is none', request({}, { 'grpc-timeout': '1s' }), 'BAD_TIMEOUT'],
];
for (const [what, req, reason] of refusals) {
  test(`refuses ${what}`, async () => {
    assert.equal(statusOf(await answered(req, echo))?.reason, reason);
  });
}

test('a mistake in a handler is logged, and hidden from the client', async () => {
  log.length = 0;
  const bad: RpcHandlers<typeof EchoService> = {
    echo: () => {
      throw new TypeError('the password is hunter2');
    },
  };
  const error = statusOf(await answered(request(), bad));
  assert.equal(error?.code, 'unknown');
  assert.ok(!error.message.includes('hunter2'));
  assert.equal(log.length, 1);
});

test('what a handler throws counts as sent, whatever the error says of its own request', async () => {
  const relaying: RpcHandlers<typeof EchoService> = {
    echo: () => {
      throw new HeddleError({ code: 'unavailable', reason: 'NO_INSTANCES', message: 'x', sent: false });
    },
  };
  assert.equal(statusOf(await answered(request(), relaying))?.sent, true);
});

test('a handler that does not heed its deadline is left behind in time', async () => {
  const hanging: RpcHandlers<typeof EchoService> = { echo: () => new Promise(() => {}) };
  const { runtime, time } = setting();
  const service = serverStack(rpcService((router) => router.service(EchoService, hanging)));
  const req = request({}, { 'grpc-timeout': '50m' });
  const result = await time.run(settle(service, req, Call.root(runtime)));
  assert.equal(result.ok ? statusOf(result.value)?.code : 'rejected', 'deadline_exceeded');
  assert.equal(time.clock.nowMs(), 50);
});

test('the limit refuses before a handler is reached, and says so', async () => {
  const hanging: RpcHandlers<typeof EchoService> = { echo: () => new Promise(() => {}) };
  const { runtime, time } = setting();
  const service = serverStack(
    rpcService((router) => router.service(EchoService, hanging)),
    { maxCalls: 1 },
  );
  const run = (): Promise<HeddleError | undefined> => {
    return settle(service, request(), Call.root(runtime)).then((result) =>
      result.ok ? statusOf(result.value) : result.error,
    );
  };
  void run();
  const [second, third] = [run(), run()];
  const refused = await time.run(third);
  assert.deepEqual([refused?.code, refused?.sent], ['resource_exhausted', false]);
  assert.equal((await time.run(second))?.reason, 'CONCURRENCY_LIMIT', 'the one that waited gives up in time');
});

test('one service is registered once', () => {
  const twice = (): unknown =>
    rpcService((router) => router.service(EchoService, {}).service(EchoService, {}));
  assert.throws(twice, { code: 'already_exists' });
});

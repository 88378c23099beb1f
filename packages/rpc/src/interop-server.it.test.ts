import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { StatusSchema } from './gen/google/rpc/status_pb.ts';
import { BadRequestSchema } from './gen/google/rpc/error_details_pb.ts';
import { type EchoRequest, type EchoResponse, EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { metadata } from './server/metadata.ts';
import { rpcServer } from './server/rpc-server.ts';
import { detail } from './status/details.ts';
import { echoHandlers } from './testing/echo-handlers.ts';
import { grpcJsService } from './testing/grpc-js-service.ts';
import { until } from './testing/wait.ts';

// The client of grpc-js against our server.

const runtime = nodeRuntime({ name: 'interop', logLevel: 'error' });
let hanging = 0;
let cancelled = 0;
let sentTo = 0;
const server = rpcServer({
  runtime,
  maxMessageBytes: 100_000,
  routes: (router) => {
    router.service(EchoService, {
      ...echoHandlers('heddle'),
      append: async ({ text }, call) => {
        const details = [
          detail(BadRequestSchema, { fieldViolations: [{ field: 'text', description: 'no' }] }),
        ];
        if (text === 'details')
          throw new HeddleError({ code: 'invalid_argument', reason: 'BAD', message: 'café', details });
        const beside = call.get(metadata);
        beside?.header.append('x-header', beside.request.get('x-sent') ?? 'none');
        beside?.trailer.append('x-trailer-bin', beside.request.get('x-sent-bin') ?? '');
        if (text === 'hang') {
          hanging++;
          await new Promise((_, reject) => call.onCancel(reject)).finally(() => cancelled++);
        }
        return { text };
      },
      async *expand({ count, text }, call) {
        call.onEnd(({ error }) => {
          if (error !== undefined) cancelled++;
        });
        for (sentTo = 0; sentTo < count; sentTo++) yield { text };
      },
    });
  },
});
await server.start();

type Duplex = grpc.ClientDuplexStream<Partial<EchoRequest>, EchoResponse>;
type Answer = (error: grpc.ServiceError | null, response?: EchoResponse) => void;
interface EchoClient extends grpc.Client {
  echo(req: Partial<EchoRequest>, options: grpc.CallOptions, answer: Answer): grpc.ClientUnaryCall;
  append(
    req: Partial<EchoRequest>,
    meta: grpc.Metadata,
    options: grpc.CallOptions,
    answer: Answer,
  ): grpc.ClientUnaryCall;
  expand(req: Partial<EchoRequest>): grpc.ClientReadableStream<EchoResponse>;
  collect(answer: Answer): grpc.ClientWritableStream<Partial<EchoRequest>>;
  chat(): Duplex;
}
const Client = grpc.makeGenericClientConstructor(grpcJsService(EchoService), 'Echo');
const client = new Client(
  `127.0.0.1:${server.address.port}`,
  grpc.credentials.createInsecure(),
) as unknown as EchoClient;
after(async () => {
  client.close();
  await server.stop();
});

const unary = (req: Partial<EchoRequest>, options: grpc.CallOptions = {}): Promise<EchoResponse> => {
  return new Promise((resolve, reject) => {
    client.echo(req, options, (error, response) =>
      response === undefined ? reject(error ?? new Error('none')) : resolve(response),
    );
  });
};
const append = (text: string, meta = new grpc.Metadata()): Promise<grpc.ServiceError> => {
  return new Promise((resolve, reject) => {
    client.append({ text }, meta, {}, (error) =>
      error === null ? reject(new Error('no error')) : resolve(error),
    );
  });
};

test('unary, small and large', async () => {
  assert.equal((await unary({ text: 'hello' })).text, 'hello');
  const text = 'x'.repeat(90_000);
  assert.equal((await unary({ text })).text, text);
  assert.equal((await unary({})).text, '');
});

test('a message over the limit is refused, and the connection goes on', async () => {
  await assert.rejects(unary({ text: 'x'.repeat(200_000) }), { code: grpc.status.RESOURCE_EXHAUSTED });
  assert.equal((await unary({ text: 'still there' })).text, 'still there');
});

test('server stream', async () => {
  const texts: string[] = [];
  for await (const { text } of client.expand({ text: 'n', count: 3 }) as AsyncIterable<EchoResponse>)
    texts.push(text);
  assert.deepEqual(texts, ['n', 'n', 'n']);
});

test('client stream', async () => {
  const response = await new Promise<EchoResponse | undefined>((resolve, reject) => {
    const call = client.collect((error, value) => (error === null ? resolve(value) : reject(error)));
    for (const text of ['a', 'b', 'c']) call.write({ text });
    call.end();
  });
  assert.equal(response?.text, 'abc');
});

test('both ways, turn by turn', async () => {
  const call = client.chat();
  for (const text of ['a', 'b', 'c']) {
    call.write({ text });
    const [response] = (await once(call, 'data')) as [EchoResponse];
    assert.equal(response.text, text);
  }
  call.end();
  const [status] = (await once(call, 'status')) as [grpc.StatusObject];
  assert.equal(status.code, grpc.status.OK);
});

test('metadata both ways, binary too', async () => {
  const meta = new grpc.Metadata();
  meta.set('x-sent', 'value');
  meta.set('x-sent-bin', Buffer.from([0, 255, 1]));
  const call = client.append({ text: 'x' }, meta, {}, () => {});
  const [[header], [status]] = (await Promise.all([once(call, 'metadata'), once(call, 'status')])) as [
    [grpc.Metadata],
    [grpc.StatusObject],
  ];
  assert.deepEqual(header.get('x-header'), ['value']);
  assert.deepEqual(status.metadata.get('x-trailer-bin'), [Buffer.from([0, 255, 1])]);
});

test('every status number, and its message', async () => {
  for (let code = 1; code <= 16; code++) {
    await assert.rejects(unary({ text: 'x', failWith: code }), (error: grpc.ServiceError) => {
      assert.equal(error.code, code);
      assert.match(error.details, /fails on demand: 100 % "[a-z_]+" – as asked/);
      return true;
    });
  }
});

test('error details are google.rpc.Status', async () => {
  const error = await append('details');
  assert.equal(error.code, grpc.status.INVALID_ARGUMENT);
  assert.equal(error.details, 'café');
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const status = fromBinary(StatusSchema, bytes as Buffer);
  assert.equal(status.code, 3);
  const found = status.details.find(({ typeUrl }) => typeUrl === 'type.googleapis.com/google.rpc.BadRequest');
  assert.ok(found !== undefined);
  assert.equal(fromBinary(BadRequestSchema, found.value).fieldViolations[0]?.field, 'text');
});

test('the deadline reaches the handler, and ends the call', async () => {
  const { remainingMs } = await unary({ text: 'x' }, { deadline: Date.now() + 5000 });
  assert.ok(remainingMs > 4000 && remainingMs <= 5000, `${remainingMs}`);
  await assert.rejects(unary({ text: 'x', delayMs: 5000 }, { deadline: Date.now() + 100 }), {
    code: grpc.status.DEADLINE_EXCEEDED,
  });
});

test('a cancelled call is cancelled in the handler', { timeout: 10_000 }, async () => {
  cancelled = 0;
  const call = client.append({ text: 'hang' }, new grpc.Metadata(), {}, () => {});
  await until(() => hanging === 1);
  call.cancel();
  await until(() => cancelled === 1);
});

test('a reader that does not read holds the handler up, and leaving it ends the handler', {
  timeout: 20_000,
}, async () => {
  cancelled = 0;
  const total = 10_000;
  const call = client.expand({ text: 'x'.repeat(10_000), count: total });
  await once(call, 'data');
  call.pause();
  // Until the windows are full the handler goes on; then it must stand still.
  let last = -1;
  await until(() => {
    const still = sentTo === last && sentTo > 0;
    last = sentTo;
    return still;
  });
  assert.ok(sentTo < total / 2, `${sentTo} of ${total} messages were made for a reader that has read one`);
  call.on('error', () => {});
  call.cancel();
  await until(() => cancelled === 1);
});

test('an unknown method is unimplemented', async () => {
  const call = new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/heddle.testing.v1.EchoService/None',
      (value: Buffer) => value,
      (value) => value,
      Buffer.alloc(0),
      (error, value) => {
        if (error === null) resolve(value);
        else reject(error);
      },
    );
  });
  await assert.rejects(call, { code: grpc.status.UNIMPLEMENTED });
});

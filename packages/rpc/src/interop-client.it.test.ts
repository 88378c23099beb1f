import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import * as grpc from '@grpc/grpc-js';
import { correlationId, Call, HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Compression } from '@heddle/wire';
import { deflate, gzip } from '@heddle/wire/compression';
import { createTransport } from './client/create-transport.ts';
import { within } from './connect/within.ts';
import { BadRequestSchema } from './gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from './gen/google/rpc/status_pb.ts';
import { type EchoRequest, type EchoResponse, EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { findDetails } from './status/details.ts';
import { grpcJsService } from './testing/grpc-js-service.ts';
import { until } from './testing/wait.ts';

// Our client against the server of grpc-js.

const runtime = nodeRuntime({ name: 'interop', logLevel: 'error' });
const seen: { text: string; metadata: grpc.Metadata; remainingMs: number }[] = [];
let cancelled = 0;
let written = 0;

type Unary = grpc.ServerUnaryCall<EchoRequest, Partial<EchoResponse>>;
type Writable = grpc.ServerWritableStream<EchoRequest, Partial<EchoResponse>>;
type Duplex = grpc.ServerDuplexStream<EchoRequest, Partial<EchoResponse>>;
type Readable = grpc.ServerReadableStream<EchoRequest, Partial<EchoResponse>>;
type Callback = grpc.sendUnaryData<Partial<EchoResponse>>;

function statusWithDetails(): Partial<grpc.StatusObject> {
  const violation = create(BadRequestSchema, { fieldViolations: [{ field: 'text', description: 'no' }] });
  const any = {
    typeUrl: 'type.googleapis.com/google.rpc.BadRequest',
    value: toBinary(BadRequestSchema, violation),
  };
  const status = create(StatusSchema, { code: 3, message: 'café', details: [any] });
  const metadata = new grpc.Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(toBinary(StatusSchema, status)));
  return { code: 3, details: 'café', metadata };
}

function answer(call: Unary, callback: Callback): void {
  const { text, failWith, delayMs } = call.request;
  const deadline = call.getDeadline();
  seen.push({ text, metadata: call.metadata, remainingMs: Number(deadline) - Date.now() });
  call.on('cancelled', () => cancelled++);
  if (text === 'details') return callback(statusWithDetails());
  const reply = (): void => {
    if (failWith > 0) callback({ code: failWith, details: 'as asked' });
    else callback(null, { text }, metadataOf('x-trailer', 't'));
  };
  call.sendMetadata(metadataOf('x-header', 'h'));
  if (delayMs > 0) setTimeout(reply, delayMs).unref();
  else reply();
}

function metadataOf(name: string, value: string): grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set(name, value);
  return metadata;
}

const server = new grpc.Server();
server.addService(grpcJsService(EchoService), {
  echo: answer,
  append: answer,
  expand: (call: Writable) => {
    const { count, text } = call.request;
    let stopped = false;
    call.on('cancelled', () => {
      stopped = true;
      cancelled++;
    });
    const more = (): void => {
      while (!stopped && written < count) {
        written++;
        if (!call.write({ text })) return void call.once('drain', more);
      }
      call.end();
    };
    written = 0;
    more();
  },
  collect: (call: Readable, callback: Callback) => {
    let text = '';
    call.on('data', (message: EchoRequest) => (text += message.text));
    call.on('end', () => callback(null, { text }));
  },
  chat: (call: Duplex) => {
    call.on('data', ({ text, failWith }: EchoRequest) => {
      if (failWith > 0) call.emit('error', { code: failWith, details: 'as asked' });
      else call.write({ text });
    });
    call.on('end', () => call.end());
  },
});
const port = await new Promise<number>((resolve, reject) => {
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
});
const transport = createTransport({ runtime, target: `127.0.0.1:${port}`, maxMessageBytes: 100_000 });
const echo = createClient(EchoService, transport);
after(() => {
  transport.close();
  server.forceShutdown();
});

test('unary, small and large, with header and trailer', async () => {
  let header: string | null = null;
  let trailer: string | null = null;
  const options = {
    onHeader: (headers: Headers) => (header = headers.get('x-header')),
    onTrailer: (trailers: Headers) => (trailer = trailers.get('x-trailer')),
  };
  assert.equal((await echo.append({ text: 'hello' }, options)).text, 'hello');
  assert.deepEqual([header, trailer], ['h', 't']);
  const text = 'x'.repeat(90_000);
  assert.equal((await echo.append({ text })).text, text);
});

test('an answer over the limit is refused', async () => {
  const error: unknown = await echo.append({ text: 'x'.repeat(200_000) }).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof HeddleError);
  assert.equal(error.reason, 'MESSAGE_TOO_LARGE');
  assert.equal((await echo.append({ text: 'still there' })).text, 'still there');
});

test('compressed requests: unary and streams', async () => {
  for (const engine of [gzip, deflate]) {
    const sizes: number[] = [];
    const compress: Compression = {
      ...engine,
      compress: async (bytes) => {
        const packed = await engine.compress(bytes);
        sizes.push(packed.byteLength);
        return packed;
      },
    };
    const squeezing = createTransport({ runtime, target: `127.0.0.1:${port}`, compress });
    const client = createClient(EchoService, squeezing);
    const text = 'x'.repeat(200_000);
    assert.equal((await client.append({ text })).text, text);
    assert.ok(sizes.length === 1 && Number(sizes[0]) < 1000, 'it went compressed');
    const messages = async function* (): AsyncGenerator<{ text: string }> {
      for (const each of ['a', '', 'c']) yield { text: each };
    };
    assert.equal((await client.collect(messages())).text, 'ac');
    squeezing.close();
  }
});

test('a message over the limit for sending is not sent', async () => {
  const strict = createTransport({ runtime, target: `127.0.0.1:${port}`, maxSentMessageBytes: 100 });
  const client = createClient(EchoService, strict);
  const before = seen.length;
  const error: unknown = await client.echo({ text: 'x'.repeat(101) }).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof HeddleError);
  assert.deepEqual(
    [error.code, error.reason, error.sent],
    ['resource_exhausted', 'MESSAGE_TOO_LARGE', false],
  );
  assert.equal(seen.length, before);
  const messages = async function* (): AsyncGenerator<{ text: string }> {
    yield { text: 'a' };
    yield { text: 'x'.repeat(101) };
  };
  const stream: unknown = await client.collect(messages()).catch((thrown: unknown) => thrown);
  assert.ok(stream instanceof HeddleError);
  assert.equal(stream.reason, 'MESSAGE_TOO_LARGE');
  strict.close();
});

test('server stream, client stream, both ways', async () => {
  const texts: string[] = [];
  for await (const { text } of echo.expand({ text: 'n', count: 3 })) texts.push(text);
  assert.deepEqual(texts, ['n', 'n', 'n']);
  const messages = async function* (): AsyncGenerator<{ text: string }> {
    for (const text of ['a', 'b', 'c']) yield { text };
  };
  assert.equal((await echo.collect(messages())).text, 'abc');
  const replies: string[] = [];
  for await (const { text } of echo.chat(messages())) replies.push(text);
  assert.deepEqual(replies, ['a', 'b', 'c']);
});

test('an error after some messages', async () => {
  const messages = async function* (): AsyncGenerator<{ text: string; failWith?: number }> {
    yield { text: 'fine' };
    yield { text: 'bad', failWith: 10 };
  };
  const replies: string[] = [];
  const reading = async (): Promise<void> => {
    for await (const { text } of echo.chat(messages())) replies.push(text);
  };
  await assert.rejects(reading(), { code: 'aborted', message: 'as asked' });
  assert.deepEqual(replies, ['fine']);
});

test('every status number; only UNAVAILABLE is tried again, and only where that is declared harmless', async () => {
  const { codes } = await import('@heddle/kernel');
  for (const [index, code] of codes.entries()) {
    seen.length = 0;
    await assert.rejects(echo.echo({ text: 'x', failWith: index + 1 }), { code, message: 'as asked' });
    assert.equal(seen.length, code === 'unavailable' ? 3 : 1, code);
  }
  seen.length = 0;
  await assert.rejects(echo.append({ text: 'x', failWith: 14 }), { code: 'unavailable' });
  assert.equal(seen.length, 1);
});

test('error details', async () => {
  const error: unknown = await echo.append({ text: 'details' }).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof HeddleError);
  assert.equal(error.message, 'café');
  assert.equal(findDetails(error, BadRequestSchema)[0]?.fieldViolations[0]?.field, 'text');
});

test('the context travels: deadline, correlation id and what else the call carries', async () => {
  const parent = Call.root(runtime, runtime.clock.nowMs() + 3000).set(correlationId, 'c-7');
  seen.length = 0;
  await echo.append({ text: 'x' }, within(parent));
  const [{ metadata, remainingMs } = { metadata: new grpc.Metadata(), remainingMs: 0 }] = seen;
  assert.deepEqual(metadata.get('x-correlation-id'), ['c-7']);
  assert.ok(remainingMs > 2000 && remainingMs <= 3000, `${remainingMs}`);
});

test('a deadline ends the call here, in time, and is told to the server', { timeout: 10_000 }, async () => {
  const startedMs = runtime.clock.nowMs();
  await assert.rejects(echo.append({ text: 'x', delayMs: 5000 }, { timeoutMs: 100 }), {
    code: 'deadline_exceeded',
  });
  assert.ok(runtime.clock.nowMs() - startedMs < 1000);
});

test('an aborted call and a cancelled parent cancel the handler', { timeout: 10_000 }, async () => {
  for (const how of ['signal', 'parent']) {
    cancelled = 0;
    seen.length = 0;
    const controller = new AbortController();
    const parent = Call.root(runtime);
    const options = how === 'signal' ? { signal: controller.signal } : within(parent);
    const call = echo.append({ text: 'slow', delayMs: 5000 }, options);
    const rejected = assert.rejects(call, { code: 'cancelled' });
    await until(() => seen.length === 1);
    if (how === 'signal') controller.abort();
    else parent.cancel(new HeddleError({ code: 'cancelled', reason: 'GONE', message: 'gone' }));
    await rejected;
    await until(() => cancelled === 1);
  }
});

test('not reading holds the server up', { timeout: 20_000 }, async () => {
  const total = 10_000;
  const controller = new AbortController();
  const stream = echo
    .expand({ text: 'x'.repeat(10_000), count: total }, { signal: controller.signal })
    [Symbol.asyncIterator]();
  await stream.next();
  let last = -1;
  await until(() => {
    const still = written === last && written > 0;
    last = written;
    return still;
  });
  assert.ok(written < total / 2, `${written} of ${total} were written for a reader that has read one`);
  cancelled = 0;
  controller.abort();
  await assert.rejects(
    async () => {
      for (;;) if ((await stream.next()).done === true) return;
    },
    { code: 'cancelled' },
  );
  await until(() => cancelled === 1);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, gunzipSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Call, HeddleError } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { Fields, frame, type HttpRequest, type HttpResponse, streamBody, wholeBody } from '@heddle/wire';
import { EchoRequestSchema, EchoResponseSchema, EchoService } from '../../gen/heddle/testing/v1/echo_pb.ts';
import { serverStack } from '../../server-stack.ts';
import type { RpcHandlers } from '../handlers.ts';
import { metadata } from '../metadata.ts';
import { rpcService } from '../rpc-service.ts';

// What the clients of protocols.it.test.ts do not send: the text mode, odd requests, compression against the rules.

const limitBytes = 1000;
const service = 'heddle.testing.v1.EchoService';
const bytesOf = (text: string): Uint8Array =>
  toBinary(EchoRequestSchema, create(EchoRequestSchema, { text }));
const seen: boolean[] = [];
const handlers: RpcHandlers<typeof EchoService> = {
  echo: ({ text }, call) => {
    const beside = call.get(metadata);
    seen.push(beside?.requestCompressed === true);
    if (beside !== undefined && text.startsWith('squeeze')) beside.compressed = true;
    if (text === 'fail') throw new HeddleError({ code: 'cancelled', reason: 'ASKED', message: 'ä' });
    return { text };
  },
  look: ({ text }) => ({ text }),
  async *expand({ text }, call) {
    const beside = call.get(metadata);
    for (const [n, compressed] of [true, false, true].entries()) {
      if (beside !== undefined && text === 'squeeze') beside.compressed = compressed;
      yield { text: `${text}${n}` };
    }
  },
  async collect(messages) {
    let text = '';
    for await (const message of messages) text += message.text;
    return { text };
  },
};

interface Change {
  /** Of the service. */
  readonly method?: string;
  /** Ends the call between the answer's head and its body. */
  readonly givenUp?: boolean;
}

async function answered(
  contentType: string,
  content: Uint8Array | string,
  { method = 'Echo', givenUp = false, ...change }: Partial<HttpRequest> & Change = {},
  fields: Record<string, string> = {},
): Promise<HttpResponse & { readonly bytes: Buffer }> {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const stacked = serverStack(
    rpcService((router) => router.service(EchoService, handlers), { maxMessageBytes: limitBytes }),
  );
  const req: HttpRequest = {
    scheme: 'http',
    authority: 'x',
    path: `/${service}/${method}`,
    fields: Fields.of({ 'content-type': contentType, ...fields }),
    body: wholeBody(Buffer.from(content)),
    ...change,
    method: 'POST',
  };
  const call = Call.root(runtime);
  const response = await time.run(stacked(req, call));
  if (givenUp) call.end(new HeddleError({ code: 'cancelled', reason: 'LEFT', message: 'left' }));
  const bytes = Buffer.from(await time.run(response.body.bytes(100_000)));
  return { ...response, bytes };
}

/** Envelopes of a body: flag and content. */
function envelopes(bytes: Buffer): [flag: number, content: Buffer][] {
  const found: [number, Buffer][] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    found.push([bytes.readUInt8(at), bytes.subarray(at + 5, end)]);
    at = end;
  }
  return found;
}
const textOf = (bytes: Uint8Array): string => fromBinary(EchoResponseSchema, bytes).text;
const unbase64 = (bytes: Buffer): Buffer => {
  return Buffer.concat(
    (bytes.toString('latin1').match(/[^=]+=*/g) ?? []).map((part) => Buffer.from(part, 'base64')),
  );
};

test('gRPC-Web, text: unary, in pieces cut anywhere', async () => {
  const text = Buffer.from(frame(bytesOf('hello'))).toString('base64');
  const pieces = async function* (): AsyncGenerator<Uint8Array, void> {
    for (const character of text) yield Buffer.from(character);
  };
  for (const body of [wholeBody(Buffer.from(text)), streamBody(pieces())]) {
    const { status, fields, bytes } = await answered('application/grpc-web-text', '', { body });
    assert.deepEqual([status, fields.get('content-type')], [200, 'application/grpc-web-text']);
    const [message, trailer] = envelopes(unbase64(bytes));
    assert.equal(textOf(message?.[1] ?? Buffer.of()), 'hello');
    assert.deepEqual([trailer?.[0], trailer?.[1].toString()], [128, 'grpc-status: 0\r\n']);
  }
});

test('gRPC-Web, text: a stream, and errors', async () => {
  const content = Buffer.from(frame(bytesOf('n'))).toString('base64');
  const stream = await answered('application/grpc-web-text+proto', content, { method: 'Expand' });
  const all = envelopes(unbase64(stream.bytes));
  assert.deepEqual(
    all.slice(0, -1).map(([, each]) => textOf(each)),
    ['n0', 'n1', 'n2'],
  );
  assert.equal(all.at(-1)?.[1].toString(), 'grpc-status: 0\r\n');
  const torn = await answered('application/grpc-web-text', content.slice(0, -1));
  assert.match(unbase64(torn.bytes).toString(), /grpc-status: 3\r\ngrpc-message: [ -~]*base64/);
  const binary = await answered('application/grpc-web-text', frame(bytesOf('n')));
  assert.match(unbase64(binary.bytes).toString(), /grpc-status: 3\r\n/);
});

test('an error of gRPC-Web is in the body, where a browser can read it', async () => {
  const { status, fields, bytes, body } = await answered(
    'application/grpc-web+proto',
    frame(bytesOf('fail')),
  );
  assert.deepEqual([status, fields.has('grpc-status'), body.trailers], [200, false, undefined]);
  assert.match(envelopes(bytes)[0]?.[1].toString() ?? '', /^grpc-status: 1\r\ngrpc-message: %C3%A4\r\n/);
});

test('Connect, unary: an error is JSON with its HTTP status', async () => {
  const { status, fields, bytes } = await answered('application/json; charset=utf-8', '{"text":"fail"}');
  assert.deepEqual([status, fields.get('content-type')], [499, 'application/json']);
  const { code, message, details } = JSON.parse(bytes.toString());
  assert.deepEqual([code, message, details], ['canceled', 'ä', []]);
  assert.match(fields.get('x-heddle-reason') ?? '', /^[A-Z_]+$/);
});

test('Connect, unary: odd requests', async () => {
  const code = async (...args: Parameters<typeof answered>): Promise<string> => {
    const { bytes } = await answered(...args);
    return `${JSON.parse(bytes.toString()).code}`;
  };
  assert.equal(await code('application/json', '{"text":'), 'invalid_argument');
  assert.equal(await code('application/json', ''), 'invalid_argument');
  assert.equal(await code('application/json', Buffer.of(34, 255, 34)), 'invalid_argument');
  assert.equal(await code('application/json', '{"text":5}'), 'invalid_argument');
  assert.equal(await code('application/proto', Buffer.of(255)), 'invalid_argument');
  assert.equal(await code('application/proto', bytesOf('x'.repeat(limitBytes))), 'resource_exhausted');
  const version = { 'connect-protocol-version': '2' };
  assert.equal(await code('application/proto', bytesOf('x'), {}, version), 'invalid_argument');
  const named = { 'connect-protocol-version': '1' };
  assert.equal(await code('application/json', '{}', { method: 'None' }, named), 'unimplemented');
  assert.equal(
    (await answered('application/json', '{"text":"a","newer":1}')).bytes.toString(),
    '{"text":"a"}',
  );
  assert.equal((await answered('application/proto', '')).bytes.length, 0);
});

test('Connect, streams: the end is an envelope of JSON', async () => {
  const stream = await answered('application/connect+json', frame(Buffer.from('{"text":"n"}')), {
    method: 'Expand',
  });
  assert.deepEqual(
    envelopes(stream.bytes).map(([flag, content]) => [flag, content.toString()]),
    [
      [0, '{"text":"n0"}'],
      [0, '{"text":"n1"}'],
      [0, '{"text":"n2"}'],
      [2, '{}'],
    ],
  );
  const many = Buffer.concat([frame(bytesOf('a')), frame(bytesOf('b'))]);
  const collected = await answered('application/connect+proto', many, { method: 'Collect' });
  assert.equal(textOf(envelopes(collected.bytes)[0]?.[1] ?? Buffer.of()), 'ab');
  const refused = await answered('application/connect+proto', many, { method: 'Expand' });
  assert.equal(refused.status, 200);
  assert.equal(JSON.parse(envelopes(refused.bytes)[0]?.[1].toString() ?? '').error.code, 'unimplemented');
  const version = { 'connect-protocol-version': '2' };
  const versioned = await answered('application/connect+proto', many, { method: 'Collect' }, version);
  assert.equal(
    JSON.parse(envelopes(versioned.bytes)[0]?.[1].toString() ?? '').error.code,
    'invalid_argument',
  );
});

const accept = { 'grpc-accept-encoding': 'identity,gzip' };

test('gRPC: an unknown encoding is unimplemented, and told what is known', async () => {
  const content = frame(bytesOf('x'), 1);
  const { fields } = await answered('application/grpc', content, {}, { 'grpc-encoding': 'snappy' });
  assert.deepEqual(
    [fields.get('grpc-status'), fields.get('grpc-accept-encoding')],
    ['12', 'identity,gzip,deflate'],
  );
  const web = await answered('application/grpc-web', content, {}, { 'grpc-encoding': 'br' });
  assert.equal(web.fields.get('grpc-accept-encoding'), 'identity,gzip,deflate');
  const unary = await answered('application/proto', bytesOf('x'), {}, { 'content-encoding': 'br' });
  assert.deepEqual([unary.status, unary.fields.get('accept-encoding')], [501, 'identity,gzip,deflate']);
  const collect = { method: 'Collect' };
  const stream = await answered('application/connect+proto', content, collect, {
    'connect-content-encoding': 'br',
  });
  assert.equal(stream.fields.get('connect-accept-encoding'), 'identity,gzip,deflate');
  assert.match(stream.bytes.toString(), /"unimplemented"/);
});

test('gRPC: the answer is compressed if the request is, or if the handler asks, and if the client takes it', async () => {
  const plain = frame(bytesOf('x'));
  const packed = frame(gzipSync(bytesOf('x')), 1);
  const gzip = { 'grpc-encoding': 'gzip' };
  const flagOf = async (content: Uint8Array, fields: Record<string, string>): Promise<[number, unknown]> => {
    const { bytes, ...answer } = await answered('application/grpc', content, {}, fields);
    return [bytes.readUInt8(0), answer.fields.get('grpc-encoding')];
  };
  seen.length = 0;
  assert.deepEqual(await flagOf(packed, { ...gzip, ...accept }), [1, 'gzip']);
  assert.deepEqual(await flagOf(packed, gzip), [0, undefined], 'it did not say what it takes');
  assert.deepEqual(await flagOf(packed, { ...gzip, 'grpc-accept-encoding': 'br' }), [0, undefined]);
  assert.deepEqual(await flagOf(plain, accept), [0, undefined]);
  assert.deepEqual(await flagOf(frame(bytesOf('squeeze')), accept), [1, 'gzip']);
  assert.deepEqual(seen, [true, true, true, false, false]);
});

test('gRPC: a handler chooses for each message of a stream', async () => {
  const { bytes, fields } = await answered(
    'application/grpc',
    frame(bytesOf('squeeze')),
    { method: 'Expand' },
    accept,
  );
  assert.equal(fields.get('grpc-encoding'), 'gzip');
  const texts = envelopes(bytes).map(([flag, content]) => [
    flag,
    textOf(flag === 1 ? gunzipSync(content) : content),
  ]);
  assert.deepEqual(texts, [
    [1, 'squeeze0'],
    [0, 'squeeze1'],
    [1, 'squeeze2'],
  ]);
});

test('a bomb is refused in every protocol', async () => {
  const bomb = gzipSync(bytesOf('x'.repeat(900_000)));
  assert.ok(bomb.length < limitBytes);
  const grpc = await answered('application/grpc', frame(bomb, 1), {}, { 'grpc-encoding': 'gzip' });
  assert.equal(grpc.fields.get('grpc-status'), '8');
  const web = await answered('application/grpc-web', frame(bomb, 1), {}, { 'grpc-encoding': 'gzip' });
  assert.match(web.bytes.toString(), /grpc-status: 8\r\n/);
  const unary = await answered('application/proto', bomb, {}, { 'content-encoding': 'gzip' });
  assert.equal(unary.status, 429);
  const collect = { method: 'Collect' };
  const stream = await answered('application/connect+proto', frame(bomb, 1), collect, {
    'connect-content-encoding': 'gzip',
  });
  assert.match(stream.bytes.toString(), /"resource_exhausted"/);
});

test('a message marked as compressed without a named compression is an error', async () => {
  const { fields } = await answered('application/grpc', frame(gzipSync(bytesOf('x')), 1));
  assert.equal(fields.get('grpc-status'), '13');
  const bad = await answered('application/grpc', frame(bytesOf('x'), 1), {}, { 'grpc-encoding': 'gzip' });
  assert.equal(bad.fields.get('grpc-status'), '13');
});

test('a call that is given up before its body is read never looks like a shorter stream', async () => {
  const change = { method: 'Expand', givenUp: true };
  const grpc = await answered('application/grpc', frame(bytesOf('n')), change);
  assert.equal(grpc.body.trailers?.get('grpc-status'), '1');
  const connect = await answered('application/connect+proto', frame(bytesOf('n')), change);
  assert.match(connect.bytes.toString(), /"canceled"/);
});

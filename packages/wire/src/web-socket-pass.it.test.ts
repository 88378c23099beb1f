// A WebSocket through a proxy of ours, for every pair of versions in front and behind.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { Call, perform } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Endpoint, endpoint } from './endpoint.ts';
import { streamBody, wholeBody } from './message/body.ts';
import { Fields } from './message/fields.ts';
import type { HttpRequest, HttpService } from './message/http.ts';
import { type HttpServer, serve } from './server.ts';

const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const address = { host: '127.0.0.1', port: 0 };
const protocols = ['http1', 'http2'] as const;
const opened: { stop(): unknown }[] = [];
after(async () => {
  for (const each of opened.toReversed()) await each.stop();
});

/** What came to the origin, by the path that asked. */
const seen = new Map<string, HttpRequest>();
const acceptOf = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

const origin: HttpService = async (request) => {
  seen.set(request.path, request);
  if (request.protocol !== 'websocket')
    return { status: 426, fields: new Fields(), body: wholeBody(Buffer.from('no')) };
  const key = request.fields.get('sec-websocket-key');
  const fields = Fields.of({ 'sec-websocket-protocol': 'chat' });
  if (key !== undefined) fields.set('sec-websocket-accept', acceptOf(key));
  return { status: 101, fields, body: request.body };
};

async function served(service: HttpService): Promise<HttpServer> {
  const server = await serve(service, { runtime, address });
  opened.push(server);
  return server;
}

function to(server: HttpServer, protocol: (typeof protocols)[number]): Endpoint {
  const way = endpoint({ runtime, address: server.address, protocol });
  opened.push({ stop: () => way.close() });
  return way;
}

for (const front of protocols)
  for (const behind of protocols)
    describe(`${front} in front, ${behind} behind`, () => {
      it('opens, carries bytes both ways, and ends', async () => {
        const upstream = to(await served(origin), behind);
        const client = to(await served((request, call) => upstream.request(request, call)), front);
        const path = `/${front}-${behind}`;
        const key = randomBytes(16).toString('base64');
        const asked = front === 'http1' ? { method: 'GET' } : { method: 'CONNECT' };
        const fields = Fields.of({ 'sec-websocket-version': '13' });
        if (front === 'http1') fields.set('sec-websocket-key', key);
        const sending = async function* (): AsyncGenerator<Uint8Array, void> {
          for (let turn = 0; turn < 50; turn++) yield Buffer.alloc(3000, turn);
        };
        const request: HttpRequest = {
          ...asked,
          scheme: 'http',
          authority: 'chat.test',
          path,
          fields,
          body: streamBody(sending()),
          protocol: 'websocket',
        };
        const answer = await perform(client.request, request, Call.root(runtime));
        assert.equal(answer.status, front === 'http1' ? 101 : 200);
        assert.equal(answer.fields.get('sec-websocket-protocol'), 'chat');
        assert.equal(
          answer.fields.get('sec-websocket-accept'),
          front === 'http1' ? acceptOf(key) : undefined,
        );
        assert.equal((await answer.body.bytes(1_000_000)).byteLength, 150_000);
        const came = seen.get(path);
        assert.equal(came?.method, behind === 'http1' ? 'GET' : 'CONNECT');
        assert.equal(came?.authority, 'chat.test');
        assert.equal(came?.fields.has('sec-websocket-key'), behind === 'http1');
      });
    });

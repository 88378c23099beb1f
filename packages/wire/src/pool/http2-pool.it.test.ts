import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Call, perform } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { until as untilSo } from '@heddle/kernel/testing';
import { type Endpoint, endpoint } from '../endpoint.ts';
import { emptyBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { type HttpRequest, peer } from '../message/http.ts';
import { type HttpServer, serve } from '../server.ts';
import type { Http2PoolLimits } from './http2-pool.ts';

const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
let server: HttpServer;
/** The client's ports that requests came from. */
const ports = new Set<number>();

before(async () => {
  server = await serve(
    async (_req, call) => {
      ports.add(call.get(peer)?.address.port ?? 0);
      return { status: 200, fields: new Fields(), body: emptyBody };
    },
    { runtime, address: { host: '127.0.0.1', port: 0 } },
  );
});
after(() => server.stop());

function open(limits: Partial<Http2PoolLimits>): Endpoint {
  ports.clear();
  return endpoint({ runtime, address: server.address, protocol: 'http2', limits });
}

async function ask(way: Endpoint): Promise<void> {
  const request: HttpRequest = {
    method: 'GET',
    scheme: 'http',
    authority: 'a',
    path: '/',
    fields: new Fields(),
    body: emptyBody,
  };
  const { status } = await perform(way.request, request, Call.root(runtime));
  assert.equal(status, 200);
}

function until(condition: () => boolean): Promise<void> {
  return untilSo(runtime, condition.toString(), 10_000, condition);
}

test('a connection that is not used is closed, and made again when it is needed', async () => {
  const way = open({ idleMs: 40 });
  await ask(way);
  await until(() => server.connections === 0 && way.state === 'idle');
  await ask(way);
  assert.equal(ports.size, 2);
  way.close();
});

test('after so many requests a connection gives way to another, and no request fails', async () => {
  const way = open({ requestsPerConnection: 10 });
  for (let n = 0; n < 60; n++) await ask(way);
  // Ten, give or take a tenth.
  assert.ok(ports.size >= 5 && ports.size <= 7, String(ports.size));
  await Promise.all(Array.from({ length: 60 }, () => ask(way)));
  await way.drain();
});

test('an old connection gives way to a new one under load, and no request fails', async () => {
  const way = open({ ageMs: 60, idleMs: 400 });
  let asked = 0;
  const caller = async (): Promise<void> => {
    while (ports.size < 4) {
      await ask(way);
      asked++;
    }
  };
  await Promise.all(Array.from({ length: 8 }, caller));
  assert.ok(asked > 10);
  await way.drain();
  await until(() => server.connections === 0);
});

test('a connection can be made before it is needed', async () => {
  const way = open({});
  await way.connect();
  assert.equal(way.state, 'ready');
  way.close();
  await until(() => server.connections === 0);
});

test('requests that wait for a stream get one each, also when all wake at once', {
  timeout: 30_000,
}, async (t) => {
  const gate = Promise.withResolvers<void>();
  const slow = await serve(
    async () => {
      await gate.promise;
      return { status: 200, fields: new Fields(), body: emptyBody };
    },
    {
      runtime,
      address: { host: '127.0.0.1', port: 0 },
      limits: { http2: { maxConcurrentStreams: 10 } },
    },
  );
  t.after(() => slow.stop());
  const limits = { connections: 6, waiting: 100 };
  const way = endpoint({ runtime, address: slow.address, protocol: 'http2', limits });
  t.after(() => way.close());
  const asked = Promise.all(Array.from({ length: 100 }, () => ask(way)));
  asked.catch(() => {});
  // Sixty have a stream, and forty wait for one; they wake with each stream that is free again.
  await until(() => slow.connections === 6);
  gate.resolve();
  await asked;
});

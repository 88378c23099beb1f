import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Call, correlationId, HeddleError, perform, tenantId } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { emptyBody, Fields, type HttpRequest, wholeBody } from '@heddle/wire';
import { createTransport } from './client/create-transport.ts';
import { createClient } from './connect/create-client.ts';
import { within } from './connect/within.ts';
import { EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { httpClient } from './http/http-client.ts';
import { httpServer, rpcServer } from './server/rpc-server.ts';
import { until } from './testing/wait.ts';

// Three processes' worth in one: HTTP in front, a service behind it, and one behind that.

const runtime = nodeRuntime({ name: 'calls', logLevel: 'error' });
const inner: { call: Call; text: string }[] = [];
let innerCancelled = 0;

const last = rpcServer({
  runtime,
  maxCalls: 5,
  routes: (router) => {
    router.service(EchoService, {
      append: async ({ text }, call) => {
        inner.push({ call, text });
        if (text === 'fail')
          throw new HeddleError({ code: 'aborted', reason: 'ASKED_FOR', message: 'as asked' });
        if (text === 'hang')
          await new Promise((_, reject) => call.onCancel(reject)).finally(() => innerCancelled++);
        return { text, remainingMs: Math.round(call.remainingMs()) };
      },
      async *expand({ text, count, failWith }) {
        for (let n = 0; n < count; n++) {
          yield { text };
          if (failWith > 0 && n === 1)
            throw new HeddleError({ code: 'aborted', reason: 'ASKED_FOR', message: 'x' });
        }
      },
    });
  },
});
await last.start();
const lastTransport = createTransport({ runtime, target: `127.0.0.1:${last.address.port}`, attempts: 1 });
const lastClient = createClient(EchoService, lastTransport);

const middle = rpcServer({
  runtime,
  routes: (router) => {
    router.service(EchoService, {
      append: async ({ text }, call) => lastClient.append({ text }, within(call)),
    });
  },
});
await middle.start();
const middleTransport = createTransport({ runtime, target: `127.0.0.1:${middle.address.port}` });
const middleClient = createClient(EchoService, middleTransport);

let flakyCount = 0;
const front = httpServer(
  async (req, call) => {
    if (req.path.startsWith('/flaky')) {
      const status = ++flakyCount % 3 === 0 ? 200 : 503;
      return { status, fields: new Fields(), body: wholeBody(Buffer.from(`${flakyCount}`)) };
    }
    const { text, remainingMs } = await middleClient.append({ text: req.path.slice(1) }, within(call));
    return {
      status: 200,
      fields: new Fields(),
      body: wholeBody(Buffer.from(JSON.stringify({ text, remainingMs }))),
    };
  },
  { runtime },
);
await front.start();
const web = httpClient({ runtime, target: `127.0.0.1:${front.address.port}` });

after(async () => {
  web.close();
  middleTransport.close();
  lastTransport.close();
  await Promise.all([front, middle, last].map((server) => server.stop()));
});

const get = (path: string, change: Partial<HttpRequest> = {}): HttpRequest => {
  return {
    method: 'GET',
    scheme: 'http',
    authority: '',
    path,
    fields: new Fields(),
    body: emptyBody,
    ...change,
  };
};
const root = (timeoutMs = 5000): Call => Call.root(runtime, runtime.clock.nowMs() + timeoutMs);

test('context and deadline travel over HTTP and two hops of gRPC, and the deadline only shrinks', async () => {
  inner.length = 0;
  const call = root(2000).set(correlationId, 'c-1').set(tenantId, 't-1');
  const response = await perform(web.service, get('/hello'), call);
  const { text, remainingMs } = JSON.parse(Buffer.from(await response.body.bytes(1000)).toString()) as {
    text: string;
    remainingMs: number;
  };
  assert.equal(text, 'hello');
  assert.ok(remainingMs > 1000 && remainingMs <= 2000, `${remainingMs}`);
  const [{ call: seen } = { call }] = inner;
  assert.deepEqual([seen.get(correlationId), seen.get(tenantId)], ['c-1', 't-1']);
});

test('a cancel at the front reaches the last handler', { timeout: 20_000 }, async () => {
  inner.length = 0;
  innerCancelled = 0;
  const call = root();
  const answer = assert.rejects(perform(web.service, get('/hang'), call), { code: 'cancelled' });
  await until(() => inner.length === 1);
  call.cancel(new HeddleError({ code: 'cancelled', reason: 'GONE', message: 'the user has left' }));
  await answer;
  await until(() => innerCancelled === 1);
});

test('a deadline at the front ends the last handler too, with 504 on the way', {
  timeout: 20_000,
}, async () => {
  innerCancelled = 0;
  await assert.rejects(perform(web.service, get('/hang'), root(150)), { code: 'deadline_exceeded' });
  await until(() => innerCancelled === 1);
});

test('an error keeps its code and reason over the hops, and has an HTTP status in front', async () => {
  await assert.rejects(middleClient.append({ text: 'fail' }), { code: 'aborted', reason: 'ASKED_FOR' });
  assert.equal((await perform(web.service, get('/fail'), root())).status, 409);
});

test('HTTP: a GET is tried again on 503, a POST only with a key', async () => {
  flakyCount = 0;
  const statusOf = async (change: Partial<HttpRequest>): Promise<number> => {
    const response = await perform(web.service, get('/flaky', change), root());
    await response.body.bytes(100);
    return response.status;
  };
  assert.equal(await statusOf({}), 200);
  assert.equal(flakyCount, 3);
  const post = { method: 'POST', body: wholeBody(Buffer.from('x')) };
  assert.equal(await statusOf(post), 503);
  assert.equal(flakyCount, 4);
  assert.equal(await statusOf({ ...post, fields: Fields.of({ 'idempotency-key': 'k' }) }), 200);
  assert.equal(flakyCount, 6);
});

test('after calls of every outcome all places of the limit are free again', { timeout: 30_000 }, async () => {
  for (let round = 0; round < 4; round++) {
    await lastClient.append({ text: 'x' });
    await assert.rejects(lastClient.append({ text: 'fail' }), { code: 'aborted' });
    await assert.rejects(lastClient.append({ text: 'hang' }, { timeoutMs: 20 }), {
      code: 'deadline_exceeded',
    });
    for await (const _message of lastClient.expand({ text: 'x', count: 3 }));
    await assert.rejects(
      async () => {
        for await (const _message of lastClient.expand({ text: 'x', count: 3, failWith: 1 }));
      },
      { code: 'aborted' },
    );
    const controller = new AbortController();
    const left = lastClient.expand(
      { text: 'x'.repeat(10_000), count: 10_000 },
      { signal: controller.signal },
    );
    await left[Symbol.asyncIterator]().next();
    controller.abort();
  }
  inner.length = 0;
  const call = root();
  const hanging = Array.from({ length: 5 }, () =>
    lastClient.append({ text: 'hang' }, within(call)).catch(() => {}),
  );
  const startedMs = runtime.clock.nowMs();
  await until(() => inner.length === 5);
  assert.ok(runtime.clock.nowMs() - startedMs < 800, 'nobody had to wait for a place');
  call.cancel(new HeddleError({ code: 'cancelled', reason: 'DONE', message: 'done' }));
  await Promise.all(hanging);
});

test('streams that are left early, by a signal or by leaving the loop, hold nothing', {
  timeout: 30_000,
}, async () => {
  const byLoop = async (): Promise<void> => {
    for await (const _message of lastClient.expand({ text: 'x'.repeat(1000), count: 100_000 })) break;
  };
  const bySignal = async (): Promise<void> => {
    const controller = new AbortController();
    const reading = async (): Promise<void> => {
      for await (const _message of lastClient.expand(
        { text: 'x'.repeat(1000), count: 100_000 },
        { signal: controller.signal },
      )) {
        controller.abort();
      }
    };
    await assert.rejects(reading(), { code: 'cancelled' });
  };
  // Together they leave several times the connection's window unread.
  for (let round = 0; round < 20; round++) await Promise.all([byLoop(), bySignal()]);
  assert.equal((await lastClient.append({ text: 'still there' })).text, 'still there');
  assert.equal(last.connections, 1);
});

test('the types hold from end to end', () => {
  void (() => {
    // @ts-expect-error: there is no such method
    void lastClient.nothing({});
    // @ts-expect-error: the text is a string
    void lastClient.append({ text: 1 });
    rpcServer({
      runtime,
      routes: (router) =>
        router.service(EchoService, {
          // @ts-expect-error: a handler answers with an EchoResponse
          echo: () => ({ text: 1 }),
        }),
    });
  });
});

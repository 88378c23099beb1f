import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createClient } from '@connectrpc/connect';
import { attempt, HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { createTransport } from './client/create-transport.ts';
import { EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { rpcServer } from './server/rpc-server.ts';
import { echoHandlers } from './testing/echo-handlers.ts';
import { until } from './testing/wait.ts';

const runtime = nodeRuntime({ name: 'rpc-test', logLevel: 'error' });
const seen: string[] = [];
const server = rpcServer({
  runtime,
  routes: (router) => router.service(EchoService, echoHandlers('a', seen)),
});
await server.start();
const transport = createTransport({ runtime, target: `127.0.0.1:${server.address.port}` });
const echo = createClient(EchoService, transport);
const attempts: number[] = [];
const other = rpcServer({
  runtime,
  routes: (router) =>
    router.service(EchoService, {
      echo: (_req, call) => {
        attempts.push(call.get(attempt));
        if (attempts.length === 3) return { attempt: call.get(attempt) };
        throw new HeddleError({ code: 'unavailable', reason: 'NOT_YET', message: 'try again' });
      },
      collect: async (messages) => {
        let count = 0;
        for await (const _message of messages) if (++count === 3) break;
        return { text: 'enough' };
      },
    }),
});
await other.start();
const otherTransport = createTransport({ runtime, target: `127.0.0.1:${other.address.port}` });
const early = createClient(EchoService, otherTransport);
after(async () => {
  transport.close();
  otherTransport.close();
  await other.stop();
  await server.stop();
});

test('unary', async () => {
  const response = await echo.echo({ text: 'hello' });
  assert.equal(response.text, 'hello');
  assert.equal(response.instance, 'a');
  assert.ok(response.remainingMs > 10_000 && response.remainingMs <= 15_000, `${response.remainingMs}`);
});

test('server stream', async () => {
  const texts: string[] = [];
  for await (const { text } of echo.expand({ text: 'n', count: 5 })) texts.push(text);
  assert.deepEqual(texts, ['n0', 'n1', 'n2', 'n3', 'n4']);
});

test('client stream', async () => {
  const messages = async function* (): AsyncGenerator<{ text: string }> {
    for (const text of ['a', 'b', 'c']) yield { text };
  };
  assert.equal((await echo.collect(messages())).text, 'abc');
});

test('both ways: each message is answered before the next is sent', async () => {
  let answered: (text: string) => void = () => {};
  const turns: string[] = [];
  const messages = async function* (): AsyncGenerator<{ text: string }> {
    for (const text of ['a', 'b', 'c']) {
      const reply = new Promise<string>((resolve) => {
        answered = resolve;
      });
      yield { text };
      turns.push(await reply);
    }
  };
  for await (const { text } of echo.chat(messages())) answered(text);
  assert.deepEqual(turns, ['a', 'b', 'c']);
});

test('an error comes with code, reason and message', async () => {
  await assert.rejects(echo.append({ text: 'x', failWith: 9 }), (error: unknown) => {
    assert.ok(error instanceof HeddleError);
    assert.equal(error.code, 'failed_precondition');
    assert.equal(error.reason, 'ASKED_FOR');
    assert.equal(error.message, 'fails on demand: 100 % "failed_precondition" – as asked');
    assert.equal(error.sent, true);
    return true;
  });
});

test('an error in a stream comes after the messages before it', async () => {
  const texts: string[] = [];
  const stream = async (): Promise<void> => {
    const messages = async function* (): AsyncGenerator<{ text: string; failWith?: number }> {
      yield { text: 'fine' };
      yield { text: 'bad', failWith: 5 };
    };
    for await (const { text } of echo.chat(messages())) texts.push(text);
  };
  await assert.rejects(stream(), { code: 'not_found', reason: 'ASKED_FOR' });
  assert.deepEqual(texts, ['fine']);
});

test('an idempotent method is tried again, one with an effect is not', async () => {
  for (const [method, attempts] of [
    ['echo', 3],
    ['append', 1],
  ] as const) {
    seen.length = 0;
    await assert.rejects(echo[method]({ text: method, failWith: 14 }), { code: 'unavailable' });
    assert.equal(seen.length, attempts, method);
  }
});

test('a handler sees which attempt it serves', async () => {
  attempts.length = 0;
  assert.equal((await early.echo({ text: 'third time lucky' })).attempt, 3);
  assert.deepEqual(attempts, [1, 2, 3]);
});

test('a client whose messages fail gives the call up, here and there', { timeout: 10_000 }, async () => {
  const messages = async function* (): AsyncGenerator<{ text: string }> {
    yield { text: 'a' };
    throw new HeddleError({ code: 'data_loss', reason: 'TEST', message: 'the source broke off' });
  };
  await assert.rejects(echo.collect(messages()), { reason: 'TEST' });
  assert.equal((await echo.echo({ text: 'still there' })).text, 'still there');
});

test('a server may answer before it has heard all', { timeout: 10_000 }, async () => {
  let left = false;
  const messages = async function* (): AsyncGenerator<{ text: string }> {
    try {
      for (;;) yield { text: 'x'.repeat(1000) };
    } finally {
      left = true;
    }
  };
  assert.equal((await early.collect(messages())).text, 'enough');
  await until(() => left);
});

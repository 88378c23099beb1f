import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Call, perform } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { jsonAnswer } from '@heddle/proxy';
import { ProtobufReader, ProtobufWriter } from '@heddle/telemetry';
import { endpoint, Fields, fewMessagesOf, frame, type HttpServer, serve, wholeBody } from '@heddle/wire';
import { StartedCli } from '../node/started-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-shared-'));
const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
/** Generous: on a busy machine the start of three processes alone takes half a minute. */
const limit = { timeout: 240_000 };
const started = new Set<StartedCli>();
// One that a failed test has left running would keep this process from ending.
after(() => {
  for (const { child } of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function up(document: object, ...args: string[]): Promise<{ cli: StartedCli; url: URL }> {
  const file = path.join(folder, `${started.size}.json`);
  writeFileSync(file, JSON.stringify(document));
  const cli = new StartedCli(['gateway', '--config', file, '--port', '0', ...args]);
  started.add(cli);
  const [, url = ''] = await cli.printed(/"ready".*"url":"([^"]+)"/);
  return { cli, url: new URL(url) };
}

async function down(cli: StartedCli): Promise<void> {
  cli.child.kill('SIGTERM');
  assert.equal(await cli.exited, 0, cli.output);
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const giveUpAt = performance.now() + 60_000;
  while (!(await holds())) {
    assert.ok(performance.now() < giveUpAt, `${what}: not within a minute`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The status of a request on a connection of its own: workers get them in turn. */
function statusOf(url: string): Promise<number | string> {
  return new Promise((resolve) => {
    get(url, { agent: new Agent({ keepAlive: false }) }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', (error) => resolve(error.message));
    }).on('error', (error) => resolve(error.message));
  });
}

/** Asks the rate limit service as an Envoy with a connection of its own would: whether one more of `user` is admitted. */
async function admits({ hostname, port }: URL, user: string): Promise<boolean> {
  const question = new ProtobufWriter();
  question.text(1, 'shop');
  const descriptor = question.open(2);
  const entry = question.open(1);
  question.text(1, 'user');
  question.text(2, user);
  question.close(entry);
  question.close(descriptor);
  const way = endpoint({ runtime, address: { host: hostname, port: Number(port) }, protocol: 'http2' });
  try {
    const request = {
      method: 'POST',
      scheme: 'http' as const,
      authority: `${hostname}:${port}`,
      path: '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit',
      fields: Fields.of({ 'content-type': 'application/grpc', te: 'trailers' }),
      body: wholeBody(frame(question.finish())),
    };
    const { body } = await perform(way.request, request, Call.root(runtime));
    const [message] = await fewMessagesOf(body, { limitBytes: 65_536, compression: undefined }, 1);
    assert.ok(message !== undefined, 'the service answers with a message');
    const answer = new ProtobufReader(message);
    // Its first field is the verdict on all: 1 admits, 2 does not.
    assert.equal(answer.tag(), 8);
    return answer.uint() === 1;
  } finally {
    way.close();
  }
}

describe('limits of a gateway', limit, () => {
  let upstream: HttpServer | undefined;
  let waiting: (() => void)[] = [];
  let broken = 0;
  before(async () => {
    upstream = await serve(
      async ({ path: asked }) => {
        if (asked.startsWith('/slow')) await new Promise<void>((resolve) => waiting.push(resolve));
        if (!asked.startsWith('/broken')) return jsonAnswer(200, {});
        broken += 1;
        return jsonAnswer(500, {});
      },
      { runtime, address: { host: '127.0.0.1', port: 0 } },
    );
  });
  after(() => upstream?.stop());
  const target = (): string => `127.0.0.1:${upstream?.address.port}`;

  test('requests in flight are counted over all workers, whichever has them', limit, async () => {
    const routes = [{ path: '/', upstream: target(), timeoutMs: 120_000, attempts: 1 }];
    const { cli, url } = await up({ limits: { maxRequests: 3 }, routes }, '--workers', '2');
    const ask = (at: string): Promise<number | string> => statusOf(`${url.origin}${at}`);
    for (let round = 0; round < 2; round++) {
      const held = Array.from({ length: 3 }, () => ask('/slow'));
      await until('all places are taken', () => waiting.length === 3);
      const others = await Promise.all(Array.from({ length: 6 }, () => ask('/quick')));
      assert.deepEqual(new Set(others), new Set([503]));
      for (const answer of waiting.splice(0)) answer();
      assert.deepEqual(await Promise.all(held), [200, 200, 200]);
    }
    waiting = [];
    assert.equal(await ask('/quick'), 200);
    await down(cli);
  });

  test('a breaker that one worker opens is open for all', limit, async () => {
    const breaker = { consecutiveFailures: 2, openMs: 600_000 };
    const { cli, url } = await up(
      {
        upstreams: { bad: { target: target(), ejection: false, breaker } },
        routes: [{ path: '/', upstream: 'bad', attempts: 1 }],
      },
      '--workers',
      '2',
    );
    // Each of the two may have had one failure that the other has not; the third or so opens both.
    await until('it is open', async () => (await statusOf(`${url.origin}/broken`)) === 503);
    const before = broken;
    await until('both know', async () => {
      const statuses = await Promise.all(Array.from({ length: 6 }, () => statusOf(`${url.origin}/broken`)));
      return statuses.every((status) => status === 503);
    });
    assert.ok(broken - before <= 2, `${broken - before} more calls`);
    await down(cli);
  });

  test('a share of failures is of the calls of all workers', limit, async () => {
    const failureRate = { share: 0.5, minCalls: 60, windowMs: 600_000 };
    const breaker = { consecutiveFailures: 1000, failureRate, openMs: 600_000 };
    const { cli, url } = await up(
      {
        upstreams: { bad: { target: target(), ejection: false, breaker } },
        routes: [{ path: '/', upstream: 'bad', attempts: 1 }],
      },
      '--workers',
      '2',
    );
    // Connections go to the workers in turn, so each sees about half of it.
    let calls = 0;
    const opened = async (): Promise<boolean> => {
      const status = await statusOf(`${url.origin}${calls % 3 === 0 ? '/quick' : '/broken'}`);
      if (status !== 503) calls += 1;
      return status === 503;
    };
    await until('it is open', opened);
    // One of them alone would have seen so many only after 119.
    assert.ok(calls >= 60 && calls < 100, `open after ${calls} calls`);
    await until('both know', async () => {
      const statuses = await Promise.all(Array.from({ length: 6 }, () => statusOf(`${url.origin}/quick`)));
      return statuses.every((status) => status === 503);
    });
    await down(cli);
  });

  test(
    'failures of an instance in a row are counted over all workers, and it is out for all',
    limit,
    async () => {
      const fine = await serve(async () => jsonAnswer(200, {}), {
        runtime,
        address: { host: '127.0.0.1', port: 0 },
      });
      const both = `static:///${target()},127.0.0.1:${fine.address.port}`;
      const ejection = { consecutiveFailures: 30, ejectMs: 600_000 };
      const { cli, url } = await up(
        {
          upstreams: { two: { target: both, policy: 'round_robin', ejection } },
          routes: [{ path: '/', upstream: 'two', attempts: 1 }],
        },
        '--workers',
        '2',
      );
      const before = broken;
      await until('it is out for both', async () => {
        const statuses: unknown[] = [];
        for (let n = 0; n < 8; n++) statuses.push(await statusOf(`${url.origin}/broken`));
        return statuses.every((status) => status === 200);
      });
      const failures = broken - before;
      // One of them alone would have seen so many only after 59.
      assert.ok(failures >= 30 && failures < 50, `out after ${failures} failures`);
      await down(cli);
      await fine.stop();
    },
  );

  test('the rate limit service counts over all workers, whichever an Envoy has reached', limit, async () => {
    const rule = { algorithm: 'fixed_window', limit: 5, windowMs: 3_600_000 };
    const service = { service: 'envoy.service.ratelimit.v3.RateLimitService', method: 'ShouldRateLimit' };
    const rateLimitService = [{ domain: 'shop', match: [{ key: 'user' }], rule }];
    const { cli, url } = await up({ routes: [{ grpc: service, rateLimitService }] }, '--workers', '2');
    const answers = await Promise.all(Array.from({ length: 12 }, () => admits(url, 'ann')));
    assert.equal(answers.filter((admitted) => admitted).length, 5);
    assert.equal(await admits(url, 'ben'), true);
    await down(cli);
  });

  test('connections beyond the limit are closed at once, and those before them serve on', limit, async () => {
    const routes = [{ path: '/', respond: { status: 204 } }];
    const { cli, url } = await up({ limits: { maxConnections: 2 }, routes }, '--workers', '1');
    const open = (): Promise<{ socket: Socket; answer: () => Promise<string> }> =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(url.port), url.hostname, () => {
          const answer = (): Promise<string> =>
            new Promise((said) => {
              socket.once('data', (bytes) => said(String(bytes).slice(0, 12)));
              socket.once('close', () => said('closed'));
              socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
            });
          resolve({ socket, answer });
        }).on('error', (error) => {
          if (socket.connecting) reject(error);
        });
      });
    const first = await open();
    const second = await open();
    assert.equal(await first.answer(), 'HTTP/1.1 204');
    assert.equal(await second.answer(), 'HTTP/1.1 204');
    assert.equal(await (await open()).answer(), 'closed');
    assert.equal(await first.answer(), 'HTTP/1.1 204');
    second.socket.destroy();
    await until('there is room again', async () => {
      const { socket, answer } = await open();
      const said = await answer();
      socket.destroy();
      return said === 'HTTP/1.1 204';
    });
    first.socket.destroy();
    await down(cli);
  });
});

// HTTP/2 through `serve` and `endpoint`: one port for both protocols, and a pool of connections that come and go.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Call, perform, settle } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Endpoint, endpoint } from './endpoint.ts';
import { listenRaw } from './http1/testdata/raw-peer.ts';
import { emptyBody, wholeBody } from './message/body.ts';
import { Fields } from './message/fields.ts';
import type { HttpRequest, HttpService } from './message/http.ts';
import type { EndpointState } from './pool/link.ts';
import { type HttpServer, serve } from './server.ts';

const run = promisify(execFile);
const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const anyPort = { host: '127.0.0.1', port: 0 };

const request = (path: string, body: HttpRequest['body'] = emptyBody): HttpRequest => {
  return { method: 'POST', scheme: 'http', authority: 'a', path, fields: new Fields(), body };
};

async function ask(target: Endpoint, path: string, content = ''): Promise<string> {
  const sent = request(path, wholeBody(Buffer.from(content)));
  const { body } = await perform(target.request, sent, Call.root(runtime));
  return Buffer.from(await body.bytes(10_000_000)).toString();
}

/** Answers `/hold` when told to, all else with what it was sent. */
class Holding {
  readonly held: (() => void)[] = [];
  readonly #arrivals: (() => void)[] = [];

  readonly service: HttpService = async ({ path, body }) => {
    const content = await body.bytes(10_000_000);
    if (path === '/hold') {
      await new Promise<void>((resolve) => {
        this.held.push(resolve);
        this.#arrivals.shift()?.();
      });
    }
    return { status: 200, fields: new Fields(), body: wholeBody(content) };
  };

  /** Resolves when one more request is held. */
  arrival(): Promise<void> {
    return new Promise((resolve) => this.#arrivals.push(resolve));
  }
}

describe('one port', () => {
  let server: HttpServer;
  before(async () => {
    server = await serve(new Holding().service, { runtime, address: anyPort });
  });
  after(() => server.stop());

  it('speaks both protocols with curl', async () => {
    const url = `http://127.0.0.1:${server.address.port}/`;
    for (const [flag, version] of [
      ['--http2-prior-knowledge', '2'],
      ['--http1.1', '1.1'],
      ['--http2', '1.1'],
    ] as const) {
      const { stdout } = await run('curl', [
        '-sS',
        '-m',
        '10',
        flag,
        '-d',
        'hello',
        '-w',
        ' %{http_version}',
        url,
      ]);
      assert.equal(stdout, `hello ${version}`);
    }
  });

  it('speaks both with endpoint', async () => {
    for (const protocol of ['http1', 'http2'] as const) {
      const target = endpoint({ runtime, address: server.address, protocol });
      const contents = Array.from({ length: 50 }, (_, index) => String(index).repeat(index * 100));
      const answers = await Promise.all(contents.map((content) => ask(target, '/', content)));
      assert.deepEqual(answers, contents);
      assert.equal(target.inFlight, 0);
      target.close();
    }
  });
});

describe('an endpoint of HTTP/2', () => {
  it('has one connection, a second when the first is full, and lets the rest wait', async () => {
    const upstream = new Holding();
    const limits = { http2: { maxConcurrentStreams: 2 } };
    const server = await serve(upstream.service, { runtime, address: anyPort, limits });
    const target = endpoint({
      runtime,
      address: server.address,
      protocol: 'http2',
      limits: { connections: 2 },
    });
    await ask(target, '/');
    assert.equal(server.connections, 1);
    const arrived = Array.from({ length: 4 }, () => upstream.arrival());
    const asking = Array.from({ length: 5 }, (_, index) => ask(target, '/hold', String(index)));
    await Promise.all(arrived);
    assert.equal(server.connections, 2);
    assert.equal(upstream.held.length, 4);
    const fifth = upstream.arrival();
    upstream.held[0]?.();
    await fifth;
    for (const answer of upstream.held) answer();
    assert.deepEqual(await Promise.all(asking), ['0', '1', '2', '3', '4']);
    target.close();
    await server.stop();
  });

  it('moves on from a server that goes away, whose streams finish', async () => {
    const upstream = new Holding();
    const first = await serve(upstream.service, { runtime, address: anyPort });
    const target = endpoint({ runtime, address: first.address, protocol: 'http2' });
    const arrival = upstream.arrival();
    const old = ask(target, '/hold', 'old');
    await arrival;
    const draining = first.drain();
    const second = await serve(upstream.service, { runtime, address: first.address });
    // Until the word has come round that the first connection takes no more.
    for (let tries = 0; second.connections === 0 && tries < 1000; tries++)
      assert.equal(await ask(target, '/', 'new'), 'new');
    assert.equal(second.connections, 1);
    upstream.held[0]?.();
    assert.equal(await old, 'old');
    await draining;
    assert.equal(await ask(target, '/', 'newer'), 'newer');
    target.close();
    await second.stop();
  });

  it('connects again after a loss, and says how it is', async () => {
    const server = await serve(new Holding().service, { runtime, address: anyPort });
    const target = endpoint({ runtime, address: server.address, protocol: 'http2' });
    const states: EndpointState[] = [];
    target.onState((state) => states.push(state));
    await ask(target, '/');
    await server.stop();
    let failures = 0;
    while (target.state !== 'failing') {
      const result = await settle(target.request, request('/'), Call.root(runtime));
      if (!result.ok) failures++;
    }
    assert.ok(failures >= 1);
    const again = await serve(new Holding().service, { runtime, address: server.address });
    // It finds out by itself.
    await new Promise<void>((resolve) => {
      target.onState((state) => {
        if (state === 'ready') resolve();
      });
    });
    assert.equal(await ask(target, '/', 'back'), 'back');
    assert.deepEqual([states.slice(0, 2), states.at(-1)], [['connecting', 'ready'], 'ready']);
    target.close();
    await again.stop();
  });

  it('fails soon where something else is spoken', async () => {
    const stranger = await listenRaw((socket) => socket.end('220 smtp ready\r\n'));
    const target = endpoint({
      runtime,
      address: { host: '127.0.0.1', port: stranger.port },
      protocol: 'http2',
    });
    const result = await settle(target.request, request('/'), Call.root(runtime));
    assert.ok(!result.ok && result.error.code === 'unavailable', JSON.stringify(result));
    target.close();
    await stranger.close();
  });

  it('drains: what is in flight finishes, nothing new begins', async () => {
    const upstream = new Holding();
    const server = await serve(upstream.service, { runtime, address: anyPort });
    const target = endpoint({ runtime, address: server.address, protocol: 'http2' });
    const arrival = upstream.arrival();
    const asking = ask(target, '/hold', 'last');
    await arrival;
    const draining = target.drain();
    const result = await settle(target.request, request('/'), Call.root(runtime));
    assert.ok(!result.ok && result.error.is('unavailable', 'ENDPOINT_CLOSED') && !result.error.sent);
    upstream.held[0]?.();
    assert.equal(await asking, 'last');
    await draining;
    await server.drain();
  });
});

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { hostPort } from '@heddle/discovery';
import { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { MetricRegistry } from '@heddle/telemetry';
import {
  emptyBody,
  Fields,
  type HttpRequest,
  type HttpResponse,
  type HttpServer,
  type HttpService,
  serve,
  streamBody,
  wholeBody,
} from '@heddle/wire';
import { Gateway } from './gateway.ts';
import { readGatewayConfig } from './model/gateway-config.ts';

const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const local = { host: '127.0.0.1', port: 0 };
const limit = { timeout: 20_000 };

/** Two upstreams and a gateway on real sockets. */
class Site {
  readonly upstreams: HttpServer[] = [];
  readonly asked: number[] = [0, 0];
  answer: HttpService = async () => text('fine');
  front: HttpServer | undefined;
  gateway: Gateway | undefined;

  async open(): Promise<void> {
    for (const at of [0, 1]) {
      const service: HttpService = (req, call) => {
        this.asked[at] = (this.asked[at] ?? 0) + 1;
        return this.answer(req, call);
      };
      this.upstreams.push(await serve(service, { runtime, address: local }));
    }
    const targets = this.upstreams.map(({ address: { host, port } }) => hostPort({ address: host, port }));
    const config = readGatewayConfig(
      `routes: [{ path: /, upstream: 'static:///${targets.join(',')}' }]`,
      'test',
    );
    this.gateway = new Gateway({ config, runtime, metrics: new MetricRegistry() });
    this.front = await serve(this.gateway.service, { runtime, address: local });
  }

  get url(): string {
    return `http://127.0.0.1:${this.front?.address.port}`;
  }

  async close(): Promise<void> {
    await this.front?.stop();
    await this.gateway?.drain();
    for (const each of this.upstreams) await each.stop();
  }
}

function text(content: string): HttpResponse {
  return {
    status: 200,
    fields: Fields.of({ 'content-type': 'text/plain' }),
    body: wholeBody(Buffer.from(content)),
  };
}

describe('a gateway on real sockets', limit, () => {
  const site = new Site();
  before(() => site.open(), limit);
  after(() => site.close(), limit);

  test('spreads requests over the instances', limit, async () => {
    site.asked.fill(0);
    for (let count = 0; count < 10; count++) assert.equal(await (await fetch(site.url)).text(), 'fine');
    assert.deepEqual(site.asked, [5, 5]);
  });

  test('passes an answer on while it is being made', limit, async () => {
    let more: () => void = () => {};
    const next = new Promise<void>((resolve) => {
      more = resolve;
    });
    site.answer = async () => {
      const source = async function* (): AsyncGenerator<Uint8Array, void> {
        yield Buffer.from('first');
        await next;
        yield Buffer.from('second');
      };
      return { status: 200, fields: new Fields(), body: streamBody(source()) };
    };
    const reader = (await fetch(site.url)).body?.getReader();
    assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'first');
    more();
    assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'second');
    assert.equal((await reader?.read())?.done, true);
  });

  test('passes large content through, byte by byte the same', limit, async () => {
    site.answer = async (req: HttpRequest) => ({ status: 200, fields: new Fields(), body: req.body });
    const content = new Uint8Array(3_000_000).map((_, at) => (at * 31) % 251);
    const answer = await fetch(site.url, { method: 'POST', body: content });
    assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), content);
  });

  test('an answer that breaks off never looks whole', limit, async () => {
    site.answer = async () => {
      const source = async function* (): AsyncGenerator<Uint8Array, void> {
        yield Buffer.from('half');
        throw new HeddleError({ code: 'internal', reason: 'BROKE', message: 'broke' });
      };
      return { status: 200, fields: new Fields(), body: streamBody(source()) };
    };
    const answer = await fetch(site.url);
    assert.equal(answer.status, 200);
    await assert.rejects(answer.text());
  });

  test('HEAD and 204 have no content, and the connection goes on', limit, async () => {
    site.answer = async () => ({ status: 204, fields: new Fields(), body: emptyBody });
    assert.equal((await fetch(site.url)).status, 204);
    site.answer = async (req) => {
      assert.equal(req.method, 'HEAD');
      return { status: 200, fields: Fields.of({ etag: '"x"' }), body: emptyBody };
    };
    const head = await fetch(site.url, { method: 'HEAD' });
    assert.equal(head.headers.get('etag'), '"x"');
    assert.equal(await head.text(), '');
  });

  test('a spoofed identity and the hops of others do not reach the upstream', limit, async () => {
    const seen: string[] = [];
    site.answer = async (req) => {
      seen.push(...[...req.fields].map(([name, value]) => `${name}: ${value}`));
      return text('fine');
    };
    const headers = { 'x-user-id': 'root', 'x-forwarded-for': '6.6.6.6', 'x-request-id': 'mine' };
    await new Promise<void>((resolve, reject) => {
      request(site.url, { headers }, (response) => response.resume().on('end', resolve))
        .on('error', reject)
        .end();
    });
    assert.ok(!seen.some((line) => line.startsWith('x-user-id')));
    assert.ok(seen.includes('x-forwarded-for: 127.0.0.1'));
    assert.ok(seen.includes('x-request-id: mine'));
  });

  test('a dead instance costs no idempotent request', limit, async () => {
    site.answer = async () => text('fine');
    await site.upstreams[0]?.stop();
    const answers = await Promise.all(Array.from({ length: 40 }, () => fetch(site.url)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    await site.upstreams[1]?.stop();
    const nobody = await fetch(site.url);
    assert.equal(nobody.status, 503);
    assert.deepEqual(Object.keys((await nobody.json()) as object), ['code', 'reason', 'message']);
  });
});

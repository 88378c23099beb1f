import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Instance, type Registry, type Snapshot, hostPort, instance } from '@heddle/discovery';
import { Call, correlationId, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { expose, MetricRegistry, parseExposition } from '@heddle/telemetry';
import {
  type Body,
  type Endpoint,
  emptyBody,
  Fields,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  peer,
  streamBody,
  wholeBody,
} from '@heddle/wire';
import type { Upstream } from '@heddle/upstream';
import { Gateway } from './gateway.ts';
import { readGatewayConfig } from './model/gateway-config.ts';

const encoder = new TextEncoder();

interface Asked {
  readonly at: string;
  readonly req: HttpRequest;
  readonly call: Call;
}

/** A gateway whose upstreams are functions: what each instance does is up to the test. */
class World {
  readonly time = new VirtualTime();
  readonly metrics = new MetricRegistry();
  readonly asked: Asked[] = [];
  readonly closed: string[] = [];
  readonly runtime: Runtime;
  readonly gateway: Gateway;
  answer: (at: string, req: HttpRequest, call: Call) => Promise<HttpResponse> = async () => text(200, 'fine');

  constructor(config: string, registry?: Registry) {
    const { clock, timers } = this.time;
    const log = (): void => {};
    this.runtime = { clock, timers, random: seededRandom(7), log } as unknown as Runtime;
    const connect = (to: Instance): Upstream<HttpRequest, HttpResponse> => {
      const service: HttpService = async (req, call) => {
        this.asked.push({ at: hostPort(to), req, call });
        return this.answer(hostPort(to), req, call);
      };
      const closed = (): void => {
        this.closed.push(hostPort(to));
      };
      const endpoint: Endpoint = {
        request: service,
        state: 'ready',
        inFlight: 0,
        onState: () => () => {},
        connect: async () => {},
        drain: async () => closed(),
        close: closed,
      };
      return { endpoint, service };
    };
    const options = {
      config: readGatewayConfig(config, 'test'),
      runtime: this.runtime,
      metrics: this.metrics,
      connect,
    };
    this.gateway = new Gateway(registry === undefined ? options : { ...options, registry });
  }

  send(path: string, change: Partial<HttpRequest> & { from?: string } = {}): Promise<HttpResponse> {
    return this.time.run(this.start(path, change));
  }

  async start(path: string, change: Partial<HttpRequest> & { from?: string } = {}): Promise<HttpResponse> {
    const call = Call.root(this.runtime);
    if (change.from !== undefined) call.set(peer, { address: { host: change.from, port: 5 } });
    const base = {
      method: 'GET',
      scheme: 'http',
      authority: 'shop.test:8080',
      fields: new Fields(),
      body: emptyBody,
    };
    const result = await settle(this.gateway.service, { ...base, scheme: 'http', path, ...change }, call);
    assert.ok(result.ok, 'the gateway answers everything');
    return result.value;
  }

  get last(): Asked {
    const last = this.asked.at(-1);
    assert.ok(last, 'an upstream was asked');
    return last;
  }
}

function text(status: number, content: string): HttpResponse {
  return {
    status,
    fields: Fields.of({ 'content-type': 'text/plain' }),
    body: wholeBody(encoder.encode(content)),
  };
}

async function json(res: HttpResponse): Promise<Record<string, unknown>> {
  return JSON.parse(new TextDecoder().decode(await res.body.bytes(10_000))) as Record<string, unknown>;
}

const two = `
routes:
  - { name: api, path: /api, upstream: 'static:///h:1,h:2', timeoutMs: 1000 }
  - { name: orders, path: /api/orders, upstream: 'h:3', rewrite: /v1 }
limits: { maxRequests: 2, maxBodyBytes: 100000 }
`;

function refused(sent: boolean): HeddleError {
  return new HeddleError({ code: 'unavailable', reason: 'CONNECTION_REFUSED', message: 'refused', sent });
}

describe('routes', () => {
  test('the longest prefix is asked, with the path that it was matched by', async () => {
    const world = new World(two);
    await world.send('/api//x/../%6Frders/7?a=%2f');
    assert.equal(world.last.at, 'h:3');
    assert.equal(world.last.req.path, '/v1/7?a=%2f');
    await world.send('/api/./users');
    assert.equal(world.last.req.path, '/api/users');
  });

  test('no route, a refused path and a tunnel are answered here', async () => {
    const world = new World(two);
    const none = await world.send('/x');
    assert.equal(none.status, 404);
    assert.deepEqual(await json(none), {
      code: 'not_found',
      reason: 'NO_ROUTE',
      message: 'no route matches /x',
    });
    const bad = await world.send('/api/%2e%2e%2fadmin');
    assert.equal(bad.status, 400);
    assert.equal((await json(bad))['reason'], 'BAD_PATH');
    assert.equal((await world.send('/api', { protocol: 'websocket' })).status, 501);
    assert.equal((await world.send('*', { method: 'OPTIONS' })).status, 400);
    assert.equal(world.asked.length, 0);
  });
});

describe('fields', () => {
  test('hop-by-hop fields and claims of identity end here', async () => {
    const world = new World(two);
    const fields = new Fields()
      .append('connection', 'keep-alive, X-Mine')
      .append('x-mine', '1')
      .append('te', 'trailers')
      .append('proxy-authorization', 'Basic x')
      .append('x-user-id', 'root')
      .append('x_tenant_id', 'all')
      .append('accept', 'a')
      .append('accept', 'b')
      .append('authorization', 'Bearer t');
    await world.send('/api', { fields });
    const names = [...world.last.req.fields].map(([name]) => name);
    for (const gone of ['connection', 'x-mine', 'te', 'proxy-authorization', 'x-user-id', 'x_tenant_id']) {
      assert.ok(!names.includes(gone), gone);
    }
    assert.deepEqual(world.last.req.fields.all('accept'), ['a', 'b']);
    assert.equal(world.last.req.fields.get('authorization'), 'Bearer t');
  });

  test('what this proxy saw replaces what the caller claims', async () => {
    const world = new World(two);
    const fields = Fields.of({
      'x-forwarded-for': '1.2.3.4',
      forwarded: 'for=x',
      'x-forwarded-proto': 'https',
    });
    await world.send('/api', { fields, from: '10.0.0.9' });
    const seen = world.last.req.fields;
    assert.deepEqual(seen.all('x-forwarded-for'), ['10.0.0.9']);
    assert.equal(seen.get('x-forwarded-proto'), 'http');
    assert.equal(seen.get('x-forwarded-host'), 'shop.test:8080');
    assert.equal(seen.get('x-forwarded-port'), '8080');
    assert.equal(seen.get('forwarded'), 'for=10.0.0.9;host="shop.test:8080";proto=http');
    assert.equal(seen.get('via'), '1.1 heddle');
    assert.equal(world.last.req.authority, 'shop.test:8080');
  });

  test('ids are made where there is none, kept where one is good, and said in every answer', async () => {
    const world = new World(two);
    const made = await world.send('/api');
    const id = world.last.req.fields.get('x-request-id');
    assert.match(id ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(made.fields.get('x-request-id'), id);
    assert.equal(world.last.req.fields.get('x-correlation-id'), id);
    assert.equal(world.last.call.get(correlationId), id);

    await world.send('/api', { fields: Fields.of({ 'x-request-id': 'mine', 'x-correlation-id': 'story' }) });
    assert.equal(world.last.req.fields.get('x-request-id'), 'mine');
    assert.equal(world.last.call.get(correlationId), 'story');

    await world.send('/api', { fields: Fields.of({ 'x-request-id': 'a b' }) });
    assert.match(world.last.req.fields.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
    assert.ok((await world.send('/nowhere')).fields.has('x-request-id'));
  });

  test('the answer loses its hop-by-hop fields as well', async () => {
    const world = new World(two);
    world.answer = async () => ({
      status: 200,
      fields: new Fields()
        .append('connection', 'x-hop')
        .append('x-hop', '1')
        .append('set-cookie', 'a')
        .append('set-cookie', 'b'),
      body: emptyBody,
    });
    const { fields } = await world.send('/api');
    assert.deepEqual(fields.all('set-cookie'), ['a', 'b']);
    assert.ok(!fields.has('connection') && !fields.has('x-hop'));
  });
});

describe('failures', () => {
  test('another instance is tried when one accepts nothing, whatever the method', async () => {
    const world = new World(two);
    world.answer = async (at) => {
      if (at === 'h:1') throw refused(false);
      return text(201, 'made');
    };
    for (let count = 0; count < 4; count++) {
      const body = wholeBody(encoder.encode('x'));
      assert.equal((await world.send('/api', { method: 'POST', body })).status, 201);
    }
    assert.ok(
      world.asked.some(({ at }) => at === 'h:1'),
      'the broken one was asked',
    );
  });

  test('what may have happened is repeated only where that does no harm', async () => {
    const world = new World(two);
    world.answer = async () => {
      throw refused(true);
    };
    const post = await world.send('/api', { method: 'POST', body: wholeBody(encoder.encode('x')) });
    assert.equal(post.status, 502);
    assert.equal(world.asked.length, 1);
    await world.send('/api', { method: 'PUT' });
    assert.equal(world.asked.length, 4);
    await world.send('/api', { method: 'POST', fields: Fields.of({ 'idempotency-key': 'k' }) });
    assert.equal(world.asked.length, 7);
    const [first, second] = world.asked.slice(-3);
    assert.notEqual(first?.at, second?.at, 'the second attempt went elsewhere');
  });

  test('a 503 of an instance is tried elsewhere, a 500 is passed on', async () => {
    const world = new World(two);
    world.answer = async (at) => text(at === 'h:1' ? 503 : 200, at);
    for (let count = 0; count < 4; count++) assert.equal((await world.send('/api')).status, 200);
    world.answer = async () => text(500, 'broken');
    const before = world.asked.length;
    assert.equal((await world.send('/api')).status, 500);
    assert.equal(world.asked.length, before + 1);
  });

  test('nobody there is 503 with Retry-After, too late is 504, a mistake is 500 without its text', async () => {
    const world = new World(two);
    world.answer = async () => {
      throw refused(false);
    };
    const gone = await world.send('/api');
    assert.equal(gone.status, 503);
    assert.equal(gone.fields.get('retry-after'), '1');
    assert.equal((await json(gone))['reason'], 'CONNECTION_REFUSED');
    world.answer = () => new Promise(() => {});
    assert.equal((await world.send('/api')).status, 504);
    world.answer = async () => {
      throw new Error('secret');
    };
    const mistake = await world.send('/api');
    assert.equal(mistake.status, 500);
    assert.doesNotMatch(JSON.stringify(await json(mistake)), /secret/);
  });

  test('more requests than allowed are refused with 503 while others run', async () => {
    const world = new World(two);
    let release: (res: HttpResponse) => void = () => {};
    const held = new Promise<HttpResponse>((resolve) => {
      release = resolve;
    });
    world.answer = () => held;
    const running = [world.start('/api'), world.start('/api')];
    assert.equal((await world.send('/api')).status, 503);
    release(text(200, ''));
    assert.deepEqual(
      (await Promise.all(running)).map(({ status }) => status),
      [200, 200],
    );
  });
});

describe('content', () => {
  const chunks = (count: number, size: number): Body => {
    const source = async function* (): AsyncGenerator<Uint8Array, void> {
      for (let at = 0; at < count; at++) yield new Uint8Array(size);
    };
    return streamBody(source());
  };

  test('of known size beyond the limit is refused unread, of unknown size when it passes the limit', async () => {
    const world = new World(two);
    const body = wholeBody(new Uint8Array(100_001));
    assert.equal((await world.send('/api', { method: 'POST', body })).status, 413);
    assert.equal(world.asked.length, 0);
    world.answer = async (_at, req) => text(200, String((await req.body.bytes(1e9)).byteLength));
    assert.equal((await world.send('/api', { method: 'POST', body: chunks(101, 1000) })).status, 413);
    const fits = await world.send('/api', { method: 'POST', body: chunks(100, 1000) });
    assert.equal(new TextDecoder().decode(await fits.body.bytes(100)), '100000');
  });

  test('that streams is not repeated', async () => {
    const world = new World(two);
    world.answer = async () => {
      throw refused(false);
    };
    assert.equal((await world.send('/api', { method: 'PUT', body: chunks(2, 10) })).status, 503);
    assert.equal(world.asked.length, 1);
  });

  test('that a route buffers is read before anybody is asked, and can be repeated; one that streams is not', async () => {
    const bodyOf = async (buffer: boolean, body: Body): Promise<readonly [number, number]> => {
      const world = new World(
        `routes: [{ path: /, upstream: "static:///10.0.0.1:80,10.0.0.2:80", buffer: ${buffer}, maxBodyBytes: 1000 }]`,
      );
      world.answer = async () => {
        throw refused(false);
      };
      const { status } = await world.send('/', { method: 'PUT', body });
      return [status, world.asked.length];
    };
    assert.deepEqual(await bodyOf(true, chunks(2, 10)), [503, 3]);
    assert.deepEqual(await bodyOf(true, chunks(11, 100)), [413, 0]);
    assert.deepEqual(await bodyOf(true, wholeBody(new Uint8Array(1001))), [413, 0]);
    assert.deepEqual(await bodyOf(false, chunks(2, 10)), [503, 1]);
  });
});

test('requests are counted by route and status', async () => {
  const world = new World(two);
  await world.send('/api/a');
  await world.send('/api/b');
  await world.send('/nowhere');
  const counted = parseExposition(expose(world.metrics)).filter(({ name }) => name === 'http_requests_total');
  assert.deepEqual(
    counted.map(({ labels, value }) => [labels['endpoint'], labels['status_code'], value]),
    [
      ['api', '200', 2],
      ['unmatched', '404', 1],
    ],
  );
});

describe('instances that come and go', () => {
  function snapshot(...ports: number[]): Snapshot {
    const instances = ports.map((port) => instance({ service: 'order', address: 'h', port }));
    return {
      service: 'order',
      term: 1,
      revision: 1,
      ageMs: 0,
      stale: false,
      source: 'registry',
      instances,
      heldBack: 0,
    };
  }

  /** A registry that says what the test tells it to, when it tells it to. */
  function toldRegistry(): { registry: Registry; tell: (next: Snapshot) => void } {
    let wake: (next: Snapshot) => void = () => {};
    const queue: Snapshot[] = [];
    const watch = async function* (): AsyncIterableIterator<Snapshot> {
      for (;;) {
        const next = queue.shift();
        yield next ?? (await new Promise<Snapshot>((resolve) => (wake = resolve)));
        wake = (later) => queue.push(later);
      }
    };
    wake = (next) => queue.push(next);
    const registry = { name: 'told', problem: undefined, watch } as unknown as Registry;
    return { registry, tell: (next) => wake(next) };
  }

  test('calls wait for the first word of the registry, then follow it', async () => {
    const { registry, tell } = toldRegistry();
    const world = new World("routes: [{ path: /o, upstream: 'discovery:///order' }]", registry);
    assert.equal((await world.send('/readyz')).status, 503);
    const early = world.send('/o');
    tell(snapshot(1, 2));
    assert.equal((await early).status, 200);
    assert.equal((await world.send('/readyz')).status, 200);
    tell(snapshot(2, 3));
    await world.time.advance(1);
    assert.deepEqual(world.closed, ['h:1']);
    world.asked.length = 0;
    for (let count = 0; count < 4; count++) await world.send('/o');
    assert.deepEqual([...new Set(world.asked.map(({ at }) => at))].toSorted(), ['h:2', 'h:3']);

    tell(snapshot());
    await world.time.advance(1);
    const none = await world.send('/o');
    assert.equal(none.status, 503);
    assert.equal((await json(none))['reason'], 'NO_INSTANCES');
    assert.equal((await world.send('/healthz')).status, 200);
  });

  test('a call that waits for the registry gives up at its deadline', async () => {
    const { registry } = toldRegistry();
    const world = new World(
      "routes: [{ path: /o, upstream: 'discovery:///order', timeoutMs: 50 }]",
      registry,
    );
    assert.equal((await world.send('/o')).status, 504);
  });

  test('closing closes every connection', async () => {
    const world = new World(two);
    world.gateway.leave();
    assert.equal((await world.send('/readyz')).status, 503);
    assert.equal((await world.send('/api')).status, 200);
    await world.gateway.drain();
    assert.deepEqual(world.closed.toSorted(), ['h:1', 'h:2', 'h:3']);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call, HeddleError, type Result, settle } from '@heddle/kernel';
import type { HandConnection } from '../http1/testdata/hand-connection.ts';
import { settled } from '../http1/testdata/hand-connection.ts';
import { handRuntime } from '../http1/testdata/hand-runtime.ts';
import { emptyBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import type { HttpResponse } from '../message/http.ts';
import { Http1Pool, type Http1PoolLimits, http1PoolLimits } from './http1-pool.ts';
import { dialFor } from './dial.ts';
import type { EndpointState } from './link.ts';

class Bench {
  readonly runtime = handRuntime();
  readonly pool: Http1Pool;
  readonly states: EndpointState[] = [];

  constructor(limits: Partial<Http1PoolLimits> = {}) {
    const address = { host: 'up', port: 1 };
    const dial = dialFor('http1', { runtime: this.runtime, address, connectMs: http1PoolLimits.connectMs });
    this.pool = new Http1Pool(this.runtime, { ...http1PoolLimits, ...limits }, dial);
    this.pool.link.onState((state) => this.states.push(state));
  }

  async ask(
    call: Call = Call.root(this.runtime),
  ): Promise<{ asking: Promise<Result<HttpResponse>>; call: Call }> {
    const request = {
      method: 'GET',
      scheme: 'http',
      authority: 'a',
      path: '/',
      fields: new Fields(),
      body: emptyBody,
    } as const;
    const asking = settle(this.pool.request, request, call);
    await settled();
    return { asking, call };
  }

  socket(index: number): HandConnection {
    const socket = this.runtime.made[index];
    assert.ok(socket !== undefined, `connection ${index} has been made`);
    return socket;
  }

  async answer(index: number): Promise<void> {
    this.socket(index).feed('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await settled();
  }
}

const refused = new HeddleError({
  code: 'unavailable',
  reason: 'CONNECTION_REFUSED',
  message: 'refused',
  sent: false,
});

async function failure(asking: Promise<Result<HttpResponse>>): Promise<HeddleError> {
  const result = await asking;
  assert.ok(!result.ok, 'there is an error');
  return result.error;
}

describe('a pool', () => {
  it('uses the connection again that was used last', async () => {
    const bench = new Bench();
    await bench.ask();
    await bench.ask();
    assert.equal(bench.runtime.made.length, 2);
    await bench.answer(1);
    await bench.answer(0);
    await bench.ask();
    assert.equal(bench.runtime.made.length, 2);
    assert.equal(bench.socket(0).writes, 2);
    assert.equal(bench.socket(1).writes, 1);
  });

  it('lets requests wait in order when all connections are busy', async () => {
    const bench = new Bench({ connections: 1 });
    const first = await bench.ask();
    const second = await bench.ask();
    const third = await bench.ask();
    assert.equal(bench.pool.inFlight, 3);
    assert.equal(bench.runtime.made.length, 1);
    await bench.answer(0);
    assert.equal((await first.asking).ok, true);
    assert.equal(bench.socket(0).writes, 2);
    await bench.answer(0);
    assert.equal((await second.asking).ok, true);
    await bench.answer(0);
    assert.equal((await third.asking).ok, true);
    assert.equal(bench.pool.inFlight, 0);
  });

  it('makes a new connection for who waits when one is lost', async () => {
    const bench = new Bench({ connections: 1 });
    const first = await bench.ask();
    const second = await bench.ask();
    bench.socket(0).close();
    await settled();
    assert.equal((await failure(first.asking)).reason, 'CONNECTION_LOST');
    await bench.answer(1);
    assert.equal((await second.asking).ok, true);
  });

  it('refuses one more than may wait, and it was not sent', async () => {
    const bench = new Bench({ connections: 1, waiting: 1 });
    await bench.ask();
    await bench.ask();
    const error = await failure((await bench.ask()).asking);
    assert.deepEqual([error.code, error.reason, error.sent], ['resource_exhausted', 'POOL_EXHAUSTED', false]);
  });

  it('forgets who waits and is cancelled', async () => {
    const bench = new Bench({ connections: 1, waiting: 1 });
    await bench.ask();
    const { asking, call } = await bench.ask();
    call.cancel(new HeddleError({ code: 'cancelled', reason: 'LEFT', message: 'left' }));
    const error = await failure(asking);
    assert.deepEqual([error.reason, error.sent], ['LEFT', false]);
    const next = await bench.ask();
    await bench.answer(0);
    await bench.answer(0);
    assert.equal((await next.asking).ok, true);
  });

  it('closes what has been idle too long', async () => {
    const bench = new Bench({ idleMs: 1000 });
    await bench.ask();
    await bench.runtime.time.advance(5000);
    assert.equal(bench.socket(0).destroyed, false);
    await bench.answer(0);
    await bench.runtime.time.advance(1500);
    assert.equal(bench.socket(0).destroyed, true);
    bench.socket(0).close();
    assert.equal(bench.runtime.time.pending, 0);
    assert.deepEqual(bench.states, ['connecting', 'ready', 'idle']);
  });

  it('begins nothing on a connection that is too old, or has had its number', async () => {
    const bench = new Bench({ ageMs: 1000, requestsPerConnection: 2, idleMs: 60_000 });
    await bench.ask();
    await bench.runtime.time.advance(1200);
    await bench.answer(0);
    assert.equal(bench.socket(0).destroyed, true);
    for (let request = 0; request < 3; request++) {
      await bench.ask();
      const last = bench.runtime.made.length - 1;
      await bench.answer(last);
    }
    assert.equal(bench.socket(1).destroyed, true);
  });

  it('drains: nothing new, what is in flight finishes, idle ones close', async () => {
    const bench = new Bench();
    const first = await bench.ask();
    await bench.ask();
    await bench.answer(1);
    let drained = false;
    const draining = bench.pool.drain().then(() => {
      drained = true;
    });
    assert.equal(bench.socket(1).destroyed, true);
    const error = await failure((await bench.ask()).asking);
    assert.deepEqual([error.code, error.reason, error.sent], ['unavailable', 'ENDPOINT_CLOSED', false]);
    await settled();
    assert.equal(drained, false);
    await bench.answer(0);
    assert.equal((await first.asking).ok, true);
    await draining;
    assert.equal(bench.socket(0).destroyed, true);
  });

  it('uses no connection that was made too late', async () => {
    const bench = new Bench();
    const request = {
      method: 'GET',
      scheme: 'http',
      authority: 'a',
      path: '/',
      fields: new Fields(),
      body: emptyBody,
    } as const;
    const asking = settle(bench.pool.request, request, Call.root(bench.runtime));
    bench.pool.close();
    const error = await failure(asking);
    assert.deepEqual([error.reason, error.sent], ['ENDPOINT_CLOSED', false]);
    assert.equal(bench.socket(0).destroyed, true);
    assert.equal(bench.socket(0).written, '');
  });

  it('closes at once, and what was on the way may have been done', async () => {
    const bench = new Bench();
    const { asking } = await bench.ask();
    bench.pool.close();
    const error = await failure(asking);
    assert.deepEqual([error.reason, error.sent], ['ENDPOINT_CLOSED', true]);
  });
});

describe('an address that cannot be reached', () => {
  it('fails requests that were not sent, and is tried again by itself until it answers', async () => {
    const bench = new Bench();
    bench.runtime.refuse = refused;
    const error = await failure((await bench.ask()).asking);
    assert.deepEqual([error.reason, error.sent], ['CONNECTION_REFUSED', false]);
    assert.deepEqual(bench.states, ['connecting', 'failing']);
    await bench.runtime.time.advance(5000);
    assert.equal(bench.runtime.made.length, 0);
    bench.runtime.refuse = undefined;
    await bench.runtime.time.advance(10_000);
    assert.deepEqual(bench.states, ['connecting', 'failing', 'ready']);
    // The connection that found out serves the next request.
    const next = await bench.ask();
    assert.equal(bench.runtime.made.length, 1);
    await bench.answer(0);
    assert.equal((await next.asking).ok, true);
  });

  it('is tried again after 100 ms, then ever more slowly, up to 30 s', async () => {
    const bench = new Bench();
    const triesMs: number[] = [];
    const { clock, net } = bench.runtime;
    bench.runtime.refuse = refused;
    const connect = net.connect.bind(net);
    Object.assign(net, {
      connect: (...args: Parameters<typeof connect>) => {
        triesMs.push(clock.nowMs());
        return connect(...args);
      },
    });
    await bench.ask();
    await bench.runtime.time.advance(600_000);
    const gapsMs = triesMs.slice(1).map((atMs, index) => atMs - (triesMs[index] as number));
    assert.ok((gapsMs[0] as number) >= 80 && (gapsMs[0] as number) <= 120, `first ${gapsMs[0]} ms`);
    assert.ok(Math.max(...gapsMs) <= 36_000, `longest ${Math.max(...gapsMs)} ms`);
    assert.ok((gapsMs.at(-1) as number) >= 24_000, `last ${gapsMs.at(-1)} ms`);
    bench.pool.close();
    assert.equal(bench.runtime.time.pending, 0);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Call, HeddleError } from '@heddle/kernel';
import { emptyBody, streamBody, wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { type HttpRequest, type HttpResponse, type HttpService, peer } from '../message/http.ts';
import { Http1Server } from './server.ts';
import { type Http1ServerLimits, http1ServerLimits } from './server-limits.ts';
import { HandConnection, settled } from './testdata/hand-connection.ts';
import { type HandRuntime, handRuntime } from './testdata/hand-runtime.ts';

interface Held {
  readonly request: HttpRequest;
  readonly call: Call;
  answer(response: Partial<HttpResponse>): Promise<void>;
  reject(error: HeddleError): Promise<void>;
}

/** A server whose services are answered by the test. */
class Bench {
  readonly runtime: HandRuntime = handRuntime();
  readonly connection = new HandConnection();
  readonly server: Http1Server;
  readonly held: Held[] = [];

  constructor(limits: Partial<Http1ServerLimits> = {}) {
    const service: HttpService = (request, call) =>
      new Promise((resolve, reject) => {
        this.held.push({
          request,
          call,
          answer: async (response) => {
            resolve({ status: 200, fields: new Fields(), body: emptyBody, ...response });
            await settled();
          },
          reject: async (error) => {
            reject(error);
            await settled();
          },
        });
      });
    this.server = new Http1Server(service, this.runtime, { ...http1ServerLimits, ...limits });
    this.server.accept(this.connection);
  }

  async feed(bytes: string): Promise<void> {
    this.connection.feed(bytes);
    await settled();
  }

  get first(): Held {
    return this.at(0);
  }

  at(index: number): Held {
    const held = this.held[index];
    assert.ok(held !== undefined, `request ${index} has reached the service`);
    return held;
  }

  get written(): string {
    return this.connection.written;
  }
}

const ended = (call: Call): boolean => call.outcome !== undefined;
const date = 'date: Thu, 01 Jan 2026 00:00:00 GMT\r\n';
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const text = (content: string): HttpResponse['body'] => wholeBody(Buffer.from(content));

describe('an answer', () => {
  it('leaves in one write: head, date, length, content', async () => {
    const bench = new Bench();
    await bench.feed(get);
    await bench.first.answer({ fields: Fields.of({ 'x-a': 'b' }), body: text('hello') });
    assert.equal(bench.written, `HTTP/1.1 200 OK\r\nx-a: b\r\n${date}content-length: 5\r\n\r\nhello`);
    assert.equal(bench.connection.writes, 1);
    assert.deepEqual(bench.first.call.outcome, { error: undefined });
    assert.equal(bench.first.call.get(peer)?.address.port, 2);
  });

  it('of unknown size goes in chunks, with trailers', async () => {
    const bench = new Bench();
    await bench.feed(get);
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('hello');
      yield Buffer.from('');
      yield Buffer.alloc(17, 'x');
    };
    await bench.first.answer({ body: streamBody(source(), { trailers: () => Fields.of({ 'x-sum': '1' }) }) });
    const chunks = `5\r\nhello\r\n11\r\n${'x'.repeat(17)}\r\n0\r\nx-sum: 1\r\n\r\n`;
    assert.equal(bench.written, `HTTP/1.1 200 OK\r\n${date}transfer-encoding: chunked\r\n\r\n${chunks}`);
  });

  it('with its chunks at hand is made no faster than the client takes it, and leaves the others their turn', async () => {
    const bench = new Bench();
    await bench.feed('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    let made = 0;
    const source = function* (): Generator<Uint8Array> {
      for (; made < 5000; made++) yield Buffer.from(String(made).padStart(100, '.'));
    };
    bench.connection.capacity = 20_000;
    await bench.first.answer({ body: streamBody(source(), { size: 500_000 }) });
    assert.ok(made < 1000, `${made} chunks were made for a client that takes 200`);
    bench.connection.takeAll();
    bench.connection.capacity = Number.POSITIVE_INFINITY;
    const before = made;
    bench.connection.takeAll();
    assert.ok(made > before && made < 3000, `${made} chunks are one turn`);
    for (let turn = 0; turn < 20; turn++) await bench.runtime.time.advance(0);
    const [, content = ''] = bench.connection.written.split('\r\n\r\n');
    assert.equal(content.length, 500_000);
    assert.equal(Number(content.slice(-100).replaceAll('.', '')), 4999);
    assert.equal(bench.first.call.outcome?.error, undefined);
  });

  it('to HTTP/1.0 of unknown size ends with the connection', async () => {
    const bench = new Bench();
    await bench.feed('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('hello');
    };
    await bench.first.answer({ body: streamBody(source()) });
    assert.equal(bench.written, `HTTP/1.1 200 OK\r\n${date}connection: close\r\n\r\nhello`);
    assert.equal(bench.connection.ended, true);
  });

  it('to HTTP/1.0 says when the connection stays', async () => {
    const bench = new Bench();
    await bench.feed('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    await bench.first.answer({ body: text('x') });
    assert.match(bench.written, /connection: keep-alive\r\n/);
    assert.equal(bench.connection.ended, false);
  });

  it('to HEAD has the length and no content', async () => {
    const bench = new Bench();
    await bench.feed('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    await bench.first.answer({ body: text('hello') });
    assert.equal(bench.written, `HTTP/1.1 200 OK\r\n${date}content-length: 5\r\n\r\n`);
  });

  it('passes on a length that describes what HEAD and 304 do not send', async () => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 304],
    ] as const) {
      const bench = new Bench();
      await bench.feed(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      await bench.first.answer({ status, fields: Fields.of({ 'content-length': '77' }) });
      assert.match(bench.written, /\r\ncontent-length: 77\r\n\r\n$/);
    }
  });

  it('with 204 or 304 has no framing', async () => {
    for (const status of [204, 304]) {
      const bench = new Bench();
      await bench.feed(get);
      await bench.first.answer({ status, body: text('hello') });
      assert.doesNotMatch(bench.written, /content-length|transfer-encoding|hello/);
      assert.equal(bench.connection.ended, false);
    }
  });

  it('never has two framings or another connection’s fields, whatever the service sets', async () => {
    const bench = new Bench();
    await bench.feed(get);
    const fields = new Fields([
      'content-length',
      '99',
      'transfer-encoding',
      'chunked',
      'connection',
      'x',
      'upgrade',
      'y',
    ]);
    await bench.first.answer({ fields, body: text('hello') });
    assert.equal(bench.written, `HTTP/1.1 200 OK\r\n${date}content-length: 5\r\n\r\nhello`);
  });

  for (const [what, fields] of [
    ['CR LF in a value', ['x', 'y\r\nset-cookie: z']],
    ['LF in a value', ['x', 'y\nz']],
    ['NUL in a value', ['x', 'y\0z']],
    ['a character beyond latin1 in a value', ['x', '✓']],
    ['a colon in a name', ['x: y\r\nz', '1']],
    ['an empty name', ['', '1']],
  ] as const) {
    it(`is 500 instead of ${what}`, async () => {
      const bench = new Bench();
      await bench.feed(get);
      await bench.first.answer({ fields: new Fields([...fields]), body: text('secret') });
      assert.match(bench.written, /^HTTP\/1.1 500 [^]*\r\n\r\nILLEGAL_HEAD\n$/);
    });
  }

  for (const status of [0, 99, 100, 101, 600, 200.5, Number.NaN]) {
    it(`is 500 instead of ${status}`, async () => {
      const bench = new Bench();
      await bench.feed(get);
      await bench.first.answer({ status });
      assert.match(bench.written, /^HTTP\/1.1 500 /);
    });
  }

  it('that is an error has its status and its reason, not its text', async () => {
    const bench = new Bench();
    await bench.feed(get);
    await bench.first.reject(
      new HeddleError({ code: 'not_found', reason: 'NO_SUCH_POT', message: 'secret' }),
    );
    assert.match(bench.written, /^HTTP\/1.1 404 Not Found\r\n[^]*\r\n\r\nNO_SUCH_POT\n$/);
    assert.equal(bench.connection.ended, false);
  });

  it('that is longer or shorter than its size breaks the connection', async () => {
    for (const content of ['hello!', 'hell']) {
      const bench = new Bench();
      await bench.feed(get);
      const source = async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from(content);
      };
      await bench.first.answer({ body: streamBody(source(), { size: 5 }) });
      assert.equal(bench.connection.destroyed, true);
      bench.connection.close();
      assert.equal(bench.first.call.outcome?.error?.reason, 'BODY_SIZE_MISMATCH');
    }
  });

  it('whose content breaks off never looks whole', async () => {
    const bench = new Bench();
    await bench.feed(get);
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('hel');
      throw new HeddleError({ code: 'unavailable', reason: 'GONE', message: 'gone' });
    };
    await bench.first.answer({ body: streamBody(source()) });
    assert.doesNotMatch(bench.written, /\r\n0\r\n/);
    assert.equal(bench.connection.destroyed, true);
  });

  it('before the request has come closes the connection', async () => {
    const bench = new Bench();
    await bench.feed('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc');
    await bench.first.answer({ body: text('no') });
    assert.match(bench.written, /connection: close\r\n\r\nno$/);
    assert.equal(bench.connection.ended, true);
    // What still comes is thrown away for a while, so that no reset overtakes the answer.
    await bench.feed('GET /admin HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal(bench.held.length, 1);
    await bench.runtime.time.advance(2000);
    assert.equal(bench.connection.destroyed, true);
  });
});

describe('a client that leaves', () => {
  it('cancels the call, and the answer is not needed', async () => {
    const bench = new Bench();
    await bench.feed(get);
    bench.connection.close();
    assert.equal(bench.first.call.cancelled?.reason, 'PEER_LEFT');
    assert.equal(bench.first.call.outcome?.error?.reason, 'PEER_LEFT');
    let left: HeddleError | undefined;
    await bench.first.answer({ body: { ...emptyBody, cancel: (error) => (left = error) } });
    assert.equal(left?.reason, 'PEER_LEFT');
    assert.equal(bench.server.size, 0);
    assert.equal(bench.runtime.time.pending, 0);
  });

  it('by half cancels the call, but is answered if there is an answer', async () => {
    const bench = new Bench();
    await bench.feed(get);
    bench.connection.finish();
    assert.equal(bench.first.call.cancelled?.reason, 'PEER_LEFT');
    await bench.first.answer({ body: text('hello') });
    assert.match(bench.written, /hello$/);
    assert.equal(bench.connection.destroyed, true);
  });

  it('amid its content makes reading reject', async () => {
    const bench = new Bench();
    await bench.feed('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    const reading = bench.first.request.body.bytes(100);
    bench.connection.finish();
    await assert.rejects(reading, { reason: 'PEER_LEFT' });
    await bench.first.reject(new HeddleError({ code: 'cancelled', reason: 'PEER_LEFT', message: 'left' }));
    assert.equal(bench.connection.destroyed, true);
  });
});

describe('time limits', () => {
  const within = async (bench: Bench, ms: number): Promise<void> => {
    await bench.runtime.time.advance(ms);
    await settled();
  };

  it('closes a connection that says nothing', async () => {
    const bench = new Bench({ headMs: 1000 });
    await within(bench, 900);
    assert.equal(bench.connection.ended, false);
    await within(bench, 600);
    assert.equal(bench.connection.ended, true);
    assert.equal(bench.written, '');
  });

  it('answers 408 to a head that drips', async () => {
    const bench = new Bench({ headMs: 1000 });
    for (const byte of 'GET / HTT') {
      await bench.feed(byte);
      await within(bench, 200);
    }
    assert.match(bench.written, /^HTTP\/1.1 408 /);
    assert.equal(bench.connection.ended, true);
    assert.equal(bench.held.length, 0);
  });

  it('answers 408 to content that does not come', async () => {
    const bench = new Bench({ bodyIdleMs: 1000 });
    await bench.feed('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    const reading = bench.first.request.body.bytes(100).catch((error) => error.reason);
    await within(bench, 1500);
    assert.match(bench.written, /^HTTP\/1.1 408 /);
    assert.equal(await reading, 'REQUEST_TIMEOUT');
    assert.equal(bench.first.call.cancelled?.reason, 'REQUEST_TIMEOUT');
  });

  it('answers 408 to content that drips below the rate', async () => {
    const bench = new Bench({ bodyIdleMs: 1000, bodyBytesPerSecond: 100 });
    await bench.feed('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n');
    for (let second = 0; second < 4 && bench.written === ''; second++) {
      await bench.feed('x');
      await within(bench, 500);
    }
    assert.match(bench.written, /^HTTP\/1.1 408 /);
  });

  it('bears content that is slow but within the rate', async () => {
    const bench = new Bench({ bodyIdleMs: 1000, bodyBytesPerSecond: 100 });
    await bench.feed('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n');
    const reading = bench.first.request.body.bytes(10_000);
    for (let half = 0; half < 20; half++) {
      await bench.feed('x'.repeat(50));
      await within(bench, 500);
    }
    assert.equal((await reading).byteLength, 1000);
    assert.equal(bench.written, '');
  });

  it('does not count the time in which the service does not read', async () => {
    const bench = new Bench({ bodyIdleMs: 1000, bufferBytes: 10 });
    await bench.feed(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n${'x'.repeat(50)}`);
    assert.equal(bench.connection.paused, true);
    await within(bench, 60_000);
    assert.equal(bench.written, '');
    const reading = bench.first.request.body.bytes(1000);
    assert.equal(bench.connection.paused, false);
    await bench.feed('x'.repeat(50));
    assert.equal((await reading).byteLength, 100);
  });

  it('closes what is idle between requests', async () => {
    const bench = new Bench({ idleMs: 1000 });
    await bench.feed(get);
    await within(bench, 5000);
    await bench.first.answer({});
    await within(bench, 900);
    assert.equal(bench.connection.ended, false);
    await within(bench, 1100);
    assert.equal(bench.connection.ended, true);
  });

  it('drops a client that does not read', async () => {
    const bench = new Bench({ writeIdleMs: 1000 });
    bench.connection.capacity = 10;
    await bench.feed(get);
    await bench.first.answer({ body: text('x'.repeat(100)) });
    const { call } = bench.first;
    assert.ok(!ended(call), 'the call goes on');
    await within(bench, 3000);
    assert.equal(bench.connection.destroyed, true);
    bench.connection.close();
    assert.equal(bench.first.call.outcome?.error?.reason, 'PEER_LEFT');
  });
});

describe('back-pressure', () => {
  it('reads no more from the service than the client takes', async () => {
    const bench = new Bench();
    bench.connection.capacity = 100;
    await bench.feed(get);
    let given = 0;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (; given < 50; given++) yield Buffer.alloc(60);
    };
    await bench.first.answer({ body: streamBody(source()) });
    const before = given;
    assert.ok(before < 4, `${before} chunks`);
    bench.connection.takeAll();
    await settled();
    assert.ok(given > before && given < 8, `${given} chunks`);
    assert.equal(bench.first.call.outcome, undefined);
    for (let turn = 0; turn < 60; turn++) {
      bench.connection.takeAll();
      await settled();
    }
    assert.deepEqual(bench.first.call.outcome, { error: undefined });
  });

  it('holds a bounded part of a pipeline', async () => {
    const bench = new Bench({ pipelineBytes: 100 });
    for (let i = 0; i < 10; i++) await bench.feed(get);
    assert.equal(bench.held.length, 1);
    assert.equal(bench.connection.paused, true);
    await bench.first.answer({});
    assert.equal(bench.held.length, 2);
  });

  it('sends the answers to a pipeline in one write', async () => {
    const bench = new Bench();
    const answering: HttpService = async () => ({ status: 200, fields: new Fields(), body: text('x') });
    const server = new Http1Server(answering, bench.runtime, http1ServerLimits);
    const connection = new HandConnection();
    server.accept(connection);
    connection.feed(get.repeat(20));
    await settled();
    await settled();
    await settled();
    await bench.runtime.time.advance(0);
    assert.equal(connection.written.split('HTTP/1.1 200').length - 1, 20);
    assert.ok(connection.writes <= 2, `${connection.writes} writes`);
  });
});

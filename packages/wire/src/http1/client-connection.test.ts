import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call, HeddleError, type Result, settle } from '@heddle/kernel';
import { emptyBody, streamBody, wholeBody, wholeBytes } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import type { HttpRequest, HttpResponse } from '../message/http.ts';
import { ClientConnection } from './client-connection.ts';
import { type Http1ClientLimits, http1ClientLimits } from './client-limits.ts';
import { HandConnection, settled } from './testdata/hand-connection.ts';
import { handRuntime } from './testdata/hand-runtime.ts';

/** A client connection whose upstream is the test. */
class Bench {
  readonly runtime = handRuntime();
  readonly socket = new HandConnection();
  readonly client: ClientConnection;
  readonly call: Call = Call.root(this.runtime);
  freed = 0;

  constructor(limits: Partial<Http1ClientLimits> = {}) {
    const owner = { free: () => void this.freed++, gone: () => {} };
    this.client = new ClientConnection(this.runtime, this.socket, { ...http1ClientLimits, ...limits }, owner);
  }

  ask(request: Partial<HttpRequest>): Promise<Result<HttpResponse>> {
    const plain = { method: 'GET', scheme: 'http', authority: 'a', path: '/', body: emptyBody } as const;
    const full = { ...plain, fields: new Fields(), ...request };
    return settle((req, call) => this.client.exchange(req, call), full, this.call);
  }
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const text = (content: string): HttpRequest['body'] => wholeBody(Buffer.from(content));
const chunks = async function* (...contents: string[]): AsyncGenerator<Uint8Array> {
  for (const content of contents) yield Buffer.from(content);
};

async function value(asking: Promise<Result<HttpResponse>>): Promise<HttpResponse> {
  const result = await asking;
  assert.ok(result.ok, 'there is an answer');
  return result.value;
}

async function failure(asking: Promise<Result<HttpResponse>>): Promise<HeddleError> {
  const result = await asking;
  assert.ok(!result.ok, 'there is an error');
  return result.error;
}

describe('a request', () => {
  it('leaves in one write: line, host, fields, length, content', async () => {
    const bench = new Bench();
    void bench.ask({ method: 'POST', path: '/x?y', fields: Fields.of({ 'x-a': 'b' }), body: text('hello') });
    assert.equal(
      bench.socket.written,
      'POST /x?y HTTP/1.1\r\nhost: a\r\nx-a: b\r\ncontent-length: 5\r\n\r\nhello',
    );
    assert.equal(bench.socket.writes, 1);
  });

  it('has a length of 0 where content is usual, and none elsewhere', () => {
    for (const [method, expected] of [
      ['POST', true],
      ['PUT', true],
      ['PATCH', true],
      ['GET', false],
      ['DELETE', false],
    ] as const) {
      const bench = new Bench();
      void bench.ask({ method });
      assert.equal(bench.socket.written.includes('content-length: 0\r\n'), expected, method);
    }
  });

  it('of unknown size goes in chunks, with trailers', async () => {
    const bench = new Bench();
    const body = streamBody(chunks('hello', ' you'), { trailers: () => Fields.of({ 'x-sum': '1' }) });
    void bench.ask({ method: 'POST', body });
    await settled();
    assert.match(
      bench.socket.written,
      /transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n4\r\n you\r\n0\r\nx-sum: 1\r\n\r\n$/,
    );
  });

  it('drops what concerns another connection', () => {
    const bench = new Bench();
    const hop =
      'connection keep-alive te transfer-encoding content-length host proxy-connection upgrade http2-settings';
    const fields = new Fields(`${hop} expect ok`.split(' ').flatMap((name) => [name, '1']));
    void bench.ask({ fields });
    assert.equal(bench.socket.written, 'GET / HTTP/1.1\r\nhost: a\r\nok: 1\r\n\r\n');
  });

  const illegal: readonly (readonly [string, Partial<HttpRequest>])[] = [
    ['a method with a space', { method: 'GET /x HTTP/1.1\r\n' }],
    ['an empty method', { method: '' }],
    ['a path with CR LF', { path: '/ HTTP/1.1\r\nx: y' }],
    ['a path with a space', { path: '/a b' }],
    ['a path beyond ASCII', { path: '/é' }],
    ['a path without a slash', { path: 'x' }],
    ['an empty path', { path: '' }],
    ['a star for GET', { path: '*' }],
    ['an authority with CR LF', { authority: 'a\r\nx: y' }],
    ['an empty authority', { authority: '' }],
    ['an authority with user information', { authority: 'u@a' }],
    ['a name with a colon', { fields: new Fields(['x: y\r\nz', '1']) }],
    ['a value with CR LF', { fields: new Fields(['x', 'y\r\n\r\nGET /admin HTTP/1.1']) }],
    ['a value with LF', { fields: new Fields(['x', 'y\nz']) }],
    ['a value with NUL', { fields: new Fields(['x', 'y\0']) }],
    ['a value whose low byte is LF', { fields: new Fields(['x', 'y\u010a']) }],
    ['a protocol with CR LF', { protocol: 'x\r\ny: z' }],
  ];
  for (const [what, request] of illegal) {
    it(`is refused with ${what}, and nothing is sent`, async () => {
      const bench = new Bench();
      const error = await failure(bench.ask(request));
      assert.equal(error.reason, 'ILLEGAL_HEAD');
      assert.equal(error.sent, false);
      assert.equal(bench.socket.written, '');
      assert.equal(bench.freed, 1);
    });
  }

  it('with a bad trailer breaks off', async () => {
    const bench = new Bench();
    const body = streamBody(chunks('x'), { trailers: () => Fields.of({ 'x-sum': '1\r\n\r\nGET /' }) });
    const error = await failure(bench.ask({ method: 'POST', body }));
    assert.equal(error.reason, 'ILLEGAL_HEAD');
    assert.doesNotMatch(bench.socket.written, /\r\n0\r\n/);
    assert.equal(bench.socket.destroyed, true);
  });

  it('whose content breaks off is not completed', async () => {
    const bench = new Bench();
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      throw new HeddleError({ code: 'aborted', reason: 'NO_MORE', message: 'no more' });
    };
    const error = await failure(bench.ask({ method: 'POST', body: streamBody(broken()) }));
    assert.equal(error.reason, 'NO_MORE');
    assert.doesNotMatch(bench.socket.written, /\r\n0\r\n/);
    assert.equal(bench.socket.destroyed, true);
  });
});

describe('Expect: 100-continue', () => {
  const expecting = { method: 'POST', fields: Fields.of({ expect: '100-continue' }), body: text('hello') };

  it('holds the content back until 100', async () => {
    const bench = new Bench();
    void bench.ask(expecting);
    assert.match(bench.socket.written, /\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n$/);
    bench.socket.feed('HTTP/1.1 100 Continue\r\n\r\n');
    await settled();
    assert.match(bench.socket.written, /\r\n\r\nhello$/);
  });

  it('sends it without being told, after a while', async () => {
    const bench = new Bench({ continueMs: 1000 });
    void bench.ask(expecting);
    await bench.runtime.time.advance(1100);
    assert.match(bench.socket.written, /\r\n\r\nhello$/);
  });

  it('does not send it after a final answer, and uses the connection no more', async () => {
    const bench = new Bench();
    const asking = bench.ask(expecting);
    bench.socket.feed('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    assert.equal((await value(asking)).status, 403);
    assert.doesNotMatch(bench.socket.written, /hello/);
    assert.equal(bench.socket.destroyed, true);
    assert.equal(bench.runtime.time.pending, 0);
  });
});

describe('an answer', () => {
  it('is the same wherever it is cut, and all there where it came as a whole', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nx-a: b\r\nContent-Length: 5\r\n\r\nhello';
    for (let cut = 1; cut <= answer.length; cut++) {
      const bench = new Bench();
      const asking = bench.ask({});
      bench.socket.feed(answer.slice(0, cut));
      if (cut < answer.length) bench.socket.feed(answer.slice(cut));
      const { status, fields, body } = await value(asking);
      assert.deepEqual([status, fields.get('x-a'), body.size], [200, 'b', 5]);
      assert.equal(
        wholeBytes(body) !== undefined,
        cut === answer.length || cut < answer.length - 5,
        `cut at ${cut}`,
      );
      assert.equal(Buffer.from(await body.bytes(5)).toString(), 'hello');
      assert.deepEqual([bench.freed, bench.call.outcome?.error], [1, undefined]);
    }
  });

  it('that came as a whole with more behind it stands, but the connection is dropped', async () => {
    const bench = new Bench();
    const asking = bench.ask({});
    bench.socket.feed(`${ok}HTTP/1.1 200 OK\r\n`);
    assert.equal(Buffer.from(await (await value(asking)).body.bytes(5)).toString(), 'ok');
    assert.deepEqual([bench.freed, bench.socket.destroyed], [0, true]);
  });

  it('that came as a whole and is too large is refused', async () => {
    const bench = new Bench({ bodyBytes: 1 });
    const asking = bench.ask({});
    bench.socket.feed(ok);
    assert.equal((await failure(asking)).reason, 'BAD_RESPONSE');
  });

  it('ends the call with its last byte, not its first', async () => {
    const bench = new Bench();
    const asking = bench.ask({});
    bench.socket.feed('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
    const { body } = await value(asking);
    assert.ok(bench.call.endDeferred && bench.call.outcome === undefined);
    bench.socket.feed('k');
    assert.deepEqual(bench.call.outcome, { error: undefined });
    assert.equal(Buffer.from(await body.bytes(10)).toString(), 'ok');
    assert.equal(bench.freed, 1);
  });

  it('that is not read makes the upstream wait', async () => {
    const bench = new Bench({ bufferBytes: 100 });
    const asking = bench.ask({});
    bench.socket.feed(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(200)}`);
    const { body } = await value(asking);
    assert.equal(bench.socket.paused, true);
    const reading = body.bytes(1000);
    assert.equal(bench.socket.paused, false);
    bench.socket.feed('x'.repeat(800));
    assert.equal((await reading).byteLength, 1000);
  });

  it('that is not wanted any more costs the connection', async () => {
    const bench = new Bench();
    const asking = bench.ask({});
    bench.socket.feed('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx');
    const { body } = await value(asking);
    body.cancel();
    assert.equal(bench.socket.destroyed, true);
    assert.equal(bench.call.outcome?.error?.reason, 'READER_LEFT');
  });

  it('before the request is sent is passed on; the rest is not sent, the connection not used again', async () => {
    const bench = new Bench();
    bench.socket.capacity = 10;
    let returned = false;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from('x');
      } finally {
        returned = true;
      }
    };
    const asking = bench.ask({ method: 'POST', body: streamBody(endless()) });
    await settled();
    bench.socket.feed(ok);
    assert.equal((await value(asking)).status, 200);
    assert.equal(bench.socket.destroyed, true);
    assert.equal(bench.freed, 0);
    await settled();
    assert.equal(returned, true);
  });
});

describe('a connection', () => {
  it('that closes before any byte of the answer: unavailable, and it may have been done', async () => {
    const bench = new Bench();
    const asking = bench.ask({});
    bench.socket.close(new Error('ECONNRESET'));
    const error = await failure(asking);
    assert.deepEqual([error.code, error.reason, error.sent], ['unavailable', 'CONNECTION_LOST', true]);
  });

  it('drops when the call is cancelled, with the reason of the cancel', async () => {
    const bench = new Bench();
    const asking = bench.ask({});
    bench.call.cancel(
      new HeddleError({ code: 'deadline_exceeded', reason: 'TOO_LATE', message: 'too late' }),
    );
    assert.equal((await failure(asking)).reason, 'TOO_LATE');
    assert.equal(bench.socket.destroyed, true);
  });

  it('drops when the call is cancelled amid the answer', async () => {
    const bench = new Bench();
    const asking = bench.ask({});
    bench.socket.feed('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx');
    const reading = (await value(asking)).body.bytes(1000);
    bench.call.cancel(
      new HeddleError({ code: 'deadline_exceeded', reason: 'TOO_LATE', message: 'too late' }),
    );
    await assert.rejects(reading, { reason: 'TOO_LATE' });
    assert.equal(bench.call.outcome?.error?.reason, 'TOO_LATE');
  });

  it('that gets bytes between two exchanges is not trusted', async () => {
    const bench = new Bench();
    const asking = bench.ask({});
    bench.socket.feed(ok);
    await (await value(asking)).body.bytes(10);
    assert.equal(bench.client.usable, true);
    bench.socket.feed('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
    assert.equal(bench.client.usable, false);
    assert.equal(bench.socket.destroyed, true);
  });

  it('is not used when the server has said good-bye', async () => {
    const bench = new Bench();
    const asking = bench.ask({});
    bench.socket.feed(ok);
    await value(asking);
    bench.socket.finish();
    assert.equal(bench.client.usable, false);
  });

  it('drops an upstream that stalls while it is read', async () => {
    const bench = new Bench({ bodyIdleMs: 1000 });
    const asking = bench.ask({});
    bench.socket.feed('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx');
    const reading = (await value(asking)).body.bytes(1000);
    bench.client.sweep(500);
    assert.equal(bench.socket.destroyed, false);
    bench.client.sweep(1001);
    await assert.rejects(reading, { reason: 'UPSTREAM_STALLED' });
  });

  it('drops an upstream that takes nothing', async () => {
    const bench = new Bench({ writeIdleMs: 1000 });
    bench.socket.capacity = 10;
    const asking = bench.ask({ method: 'POST', body: text('x'.repeat(100)) });
    bench.client.sweep(500);
    bench.client.sweep(1600);
    assert.equal((await failure(asking)).reason, 'UPSTREAM_STALLED');
  });
});

describe('an upgrade', () => {
  const accepted = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n';

  it('sends nothing into the tunnel before it is open, then both ways', async () => {
    const bench = new Bench();
    const asking = bench.ask({ protocol: 'websocket', body: streamBody(chunks('ping')) });
    await settled();
    assert.match(bench.socket.written, /connection: upgrade\r\nupgrade: websocket\r\n\r\n$/);
    bench.socket.feed(`${accepted}early`);
    const { status, body } = await value(asking);
    assert.equal(status, 101);
    await settled();
    assert.match(bench.socket.written, /\r\n\r\nping$/);
    assert.equal(bench.socket.ended, true);
    bench.socket.finish();
    assert.equal(Buffer.from(await body.bytes(100)).toString(), 'early');
    assert.deepEqual(bench.call.outcome, { error: undefined });
  });

  it('to another protocol than was asked for is an error', async () => {
    const bench = new Bench();
    const asking = bench.ask({ protocol: 'websocket' });
    bench.socket.feed(accepted.replace('WebSocket', 'other'));
    assert.equal((await failure(asking)).reason, 'BAD_RESPONSE');
  });

  it('that is declined is an answer like any other', async () => {
    const bench = new Bench();
    const asking = bench.ask({ protocol: 'websocket' });
    bench.socket.feed(ok);
    assert.equal(Buffer.from(await (await value(asking)).body.bytes(10)).toString(), 'ok');
  });
});

describe('CONNECT', () => {
  it('opens a tunnel by a 2xx, whatever its framing says', async () => {
    const bench = new Bench();
    const asking = bench.ask({
      method: 'CONNECT',
      authority: 'b:443',
      path: '',
      body: streamBody(chunks('ping')),
    });
    assert.equal(bench.socket.written, 'CONNECT b:443 HTTP/1.1\r\nhost: b:443\r\n\r\n');
    bench.socket.feed('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\npong');
    const { body } = await value(asking);
    await settled();
    assert.match(bench.socket.written, /ping$/);
    bench.socket.finish();
    assert.equal(Buffer.from(await body.bytes(100)).toString(), 'pong');
  });
});

// What a server connection does beside plain exchanges: 100-continue, upgrades and CONNECT, draining.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import type { HttpService } from '../message/http.ts';
import { Http1Server } from './server.ts';
import { http1ServerLimits } from './server-limits.ts';
import { HandConnection, settled } from './testdata/hand-connection.ts';
import { handRuntime } from './testdata/hand-runtime.ts';

function accept(service: HttpService): {
  connection: HandConnection;
  server: Http1Server;
  feed: (bytes: string) => Promise<void>;
} {
  const connection = new HandConnection();
  const server = new Http1Server(service, handRuntime(), http1ServerLimits);
  server.accept(connection);
  const feed = async (bytes: string): Promise<void> => {
    connection.feed(bytes);
    await settled();
  };
  return { connection, server, feed };
}

const fields = (): Fields => new Fields();
const post = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';
const upgrade =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n';

describe('100-continue', () => {
  it('is said when the service begins to read', async () => {
    const { connection, feed } = accept(async ({ body, fields: seen }) => {
      assert.equal(seen.has('expect'), false);
      return { status: 200, fields: fields(), body: wholeBody(await body.bytes(100)) };
    });
    await feed(post);
    assert.equal(connection.written, 'HTTP/1.1 100 Continue\r\n\r\n');
    await feed('hello');
    assert.match(connection.written, /200 OK[^]*hello$/);
    assert.equal(connection.ended, false);
  });

  it('is not said when the service answers without reading; the connection closes', async () => {
    const { connection, feed } = accept(async () => ({
      status: 403,
      fields: fields(),
      body: wholeBody(Buffer.from('no')),
    }));
    await feed(post);
    assert.match(connection.written, /^HTTP\/1.1 403 [^]*connection: close\r\n\r\nno$/);
    assert.equal(connection.ended, true);
  });

  it('is not said when the content is there already', async () => {
    const { connection, feed } = accept(async ({ body }) => {
      await settled();
      return { status: 200, fields: fields(), body: wholeBody(await body.bytes(100)) };
    });
    await feed(`${post}hello`);
    await settled();
    assert.match(connection.written, /^HTTP\/1.1 200 /);
  });
});

describe('an upgrade', () => {
  const echo: HttpService = async ({ body, protocol }) =>
    protocol === 'websocket'
      ? { status: 101, fields: fields(), body }
      : { status: 400, fields: fields(), body: wholeBody(Buffer.from('not that')) };

  it('turns the connection into a tunnel, both ways, both ends', async () => {
    const { connection, feed } = accept(echo);
    await feed(upgrade);
    assert.match(
      connection.written,
      /^HTTP\/1.1 101 Switching Protocols\r\n[^]*connection: upgrade\r\nupgrade: websocket\r\n\r\n$/,
    );
    await feed('ping');
    await feed('GET /admin HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match(connection.written, /\r\n\r\npingGET \/admin HTTP\/1.1\r\nHost: a\r\n\r\n$/);
    connection.finish();
    await settled();
    assert.equal(connection.ended, true);
  });

  it('takes along what the client sent too early', async () => {
    const { connection, feed } = accept(echo);
    await feed(`${upgrade}early`);
    assert.match(connection.written, /early$/);
  });

  it('to h2c is never offered to the service', async () => {
    let seen: string | undefined;
    const { connection, feed } = accept(async ({ protocol }) => {
      seen = protocol;
      return { status: 200, fields: fields(), body: wholeBody(Buffer.from('plain')) };
    });
    await feed(upgrade.replace('websocket', 'h2c'));
    assert.equal(seen, undefined);
    assert.match(connection.written, /^HTTP\/1.1 200 /);
  });

  it('of a request with content is passed over', async () => {
    const { connection, feed } = accept(echo);
    await feed(`${upgrade.replace('GET', 'POST').replace('\r\n\r\n', '\r\nContent-Length: 2\r\n\r\n')}ab`);
    assert.match(connection.written, /^HTTP\/1.1 400 /);
  });

  it('is not for HTTP/1.0', async () => {
    const { connection, feed } = accept(echo);
    await feed(upgrade.replace('HTTP/1.1', 'HTTP/1.0'));
    assert.match(connection.written, /^HTTP\/1.1 400 /);
  });
});

describe('CONNECT', () => {
  const connect = 'CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n';

  it('opens a tunnel with a 2xx, which has no framing', async () => {
    const { connection, feed } = accept(async ({ authority, path, body }) => {
      assert.deepEqual([authority, path], ['b:443', '']);
      return { status: 200, fields: fields(), body };
    });
    await feed(connect);
    assert.doesNotMatch(connection.written, /content-length|transfer-encoding|connection/);
    await feed('ping');
    assert.match(connection.written, /\r\n\r\nping$/);
  });

  it('that is declined closes: what came early is no request', async () => {
    let calls = 0;
    const { connection, feed } = accept(async () => {
      calls++;
      return { status: 403, fields: fields(), body: wholeBody(Buffer.from('no')) };
    });
    await feed(`${connect}GET /admin HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.match(connection.written, /^HTTP\/1.1 403 [^]*connection: close\r\n\r\nno$/);
    assert.equal(connection.ended, true);
    assert.equal(calls, 1);
  });
});

describe('draining', () => {
  it('closes what is idle and lets the rest finish, the last of its connection', async () => {
    let answer: () => void = () => {};
    const { connection, server, feed } = accept(
      () =>
        new Promise((resolve) => {
          answer = () => resolve({ status: 200, fields: fields(), body: wholeBody(Buffer.from('done')) });
        }),
    );
    const idle = new HandConnection();
    server.accept(idle);
    await feed('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    let drained = false;
    const draining = server.drain().then(() => {
      drained = true;
    });
    assert.equal(idle.ended, true);
    assert.equal(connection.ended, false);
    idle.close();
    await settled();
    assert.equal(drained, false);
    answer();
    await settled();
    assert.match(connection.written, /connection: close\r\n\r\ndone$/);
    assert.equal(connection.ended, true);
    connection.close();
    await draining;
    assert.equal(server.size, 0);
  });
});

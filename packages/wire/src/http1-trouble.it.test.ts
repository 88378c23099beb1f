// A proxy of our own between clients and upstreams that misbehave over time: what must not be left behind, lost or
// passed on (the rules of proxying HTTP/1.1).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { settle } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Endpoint, endpoint } from './endpoint.ts';
import { exchangeRaw, listenRaw, type RawServer } from './http1/testdata/raw-peer.ts';
import type { HttpService } from './message/http.ts';
import { type HttpServer, serve } from './server.ts';

const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const anyPort = { host: '127.0.0.1', port: 0 };
const closing = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const small = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Waits for something that will be so in a moment; fails when it is not within a few seconds. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!condition()) {
    assert.ok(performance.now() < endMs, `in time: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a proxy in trouble', () => {
  let upstream: RawServer;
  let target: Endpoint;
  let proxy: HttpServer;
  let upstreamSockets: Socket[] = [];
  let onData: (socket: Socket, bytes: string) => void = () => {};

  before(async () => {
    upstream = await listenRaw((socket) => {
      upstreamSockets.push(socket);
      socket.on('data', (chunk) => onData(socket, chunk.toString('latin1')));
      socket.on('end', () => socket.end());
      socket.on('close', () => {
        upstreamSockets = upstreamSockets.filter((other) => other !== socket);
      });
    });
  });
  after(() => upstream.close());

  beforeEach(async () => {
    target = endpoint({ runtime, address: { host: '127.0.0.1', port: upstream.port }, protocol: 'http1' });
    const service: HttpService = async (request, call) => {
      const attempt = call.child();
      call.endWith(attempt);
      const result = await settle(target.request, request, attempt);
      if (!result.ok) throw result.error;
      return result.value;
    };
    proxy = await serve(service, { runtime, address: anyPort });
  });
  afterEach(async () => {
    target.close();
    await proxy.stop();
    await until(() => upstreamSockets.length === 0 && proxy.connections === 0, 'no socket is left');
    assert.equal(target.inFlight, 0);
  });

  const client = async (): Promise<Socket> => {
    const socket = connect({ port: proxy.address.port, host: '127.0.0.1' });
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };

  it('loses no upstream connection to uploads that break midway', async () => {
    onData = (socket, bytes) => {
      if (bytes.startsWith('GET')) socket.write(small);
    };
    for (let upload = 0; upload < 30; upload++) {
      const socket = await client();
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome of it');
      await until(() => target.inFlight === 1, 'the upload is on its way');
      if (upload % 2 === 0) socket.destroy();
      else socket.end();
      await until(() => target.inFlight === 0, 'the upload is given up');
    }
    await until(() => upstreamSockets.length === 0, 'no upstream connection holds half an upload');
    assert.match(await exchangeRaw(proxy.address.port, closing), /ok$/);
  });

  it('breaks off an upload whose chunks are malformed; the upstream never sees it whole', async () => {
    let received = '';
    onData = (_socket, bytes) => {
      received += bytes;
    };
    const answer = await exchangeRaw(
      proxy.address.port,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nXYZ\r\n',
    );
    assert.match(answer, /^HTTP\/1.1 400 [^]*BAD_CHUNK/);
    await until(() => upstreamSockets.length === 0, 'the upstream connection is closed');
    assert.doesNotMatch(received, /\r\n0\r\n/);
  });

  it('lets the upstream wait for a client that does not read', async () => {
    let written = 0;
    onData = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
      const block = Buffer.alloc(65_536);
      const more = (): void => {
        while (written < 100_000_000) {
          written += block.length;
          if (!socket.write(block)) return;
        }
      };
      socket.on('drain', more);
      more();
    };
    const socket = await client();
    socket.write(closing);
    socket.pause();
    let before = -1;
    let still = 0;
    // Until nothing more has moved for a good many turns.
    await until(() => {
      still = written === before && written > 0 ? still + 1 : 0;
      before = written;
      return still > 2000;
    }, 'the upstream is stopped');
    // What the sockets' own buffers hold, which the system sizes, and little more.
    assert.ok(written < 40_000_000, `${written} of 100,000,000 bytes went into the proxy`);
    socket.destroy();
  });

  it('ends a cut-off answer by a cut-off answer', async () => {
    onData = (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    const received = await exchangeRaw(proxy.address.port, closing);
    assert.match(received, /5\r\nhello\r\n$/);
  });

  it('gives up the upstream when the client leaves while it waits', async () => {
    onData = () => {};
    const socket = await client();
    socket.write(closing);
    await until(() => target.inFlight === 1, 'the request is with the upstream');
    socket.destroy();
    await until(() => target.inFlight === 0 && upstreamSockets.length === 0, 'the upstream is let go');
  });

  it('relays an answer that comes before the upload is done, and uses neither connection again', async () => {
    onData = (socket) => socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno');
    const received = await exchangeRaw(
      proxy.address.port,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nsome of it',
    );
    assert.match(received, /^HTTP\/1.1 413 [^]*no$/);
    await until(() => upstreamSockets.length === 0, 'the upstream connection is closed');
  });

  it('carries a WebSocket both ways, and both ends', async () => {
    let open = false;
    onData = (socket, bytes) => {
      if (open) socket.write(`echo ${bytes}`);
      else if (/\r\nupgrade: websocket\r\n/.test(bytes) && /\r\nsec-websocket-key: x\r\n/.test(bytes)) {
        open = true;
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhi',
        );
      }
    };
    const socket = await client();
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString('latin1')));
    socket.write(
      'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n',
    );
    await until(
      () => /^HTTP\/1.1 101 [^]*\r\nupgrade: websocket\r\n\r\nhi$/.test(received),
      'the tunnel is open',
    );
    socket.write('GET /admin HTTP/1.1\r\n\r\n');
    await until(() => received.endsWith('hiecho GET /admin HTTP/1.1\r\n\r\n'), 'bytes pass');
    socket.end();
    await once(socket, 'close');
  });

  it('serves others while one client drips its head', async () => {
    onData = (socket) => socket.write(small);
    const slow = await client();
    slow.write('GET / HT');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => exchangeRaw(proxy.address.port, closing)),
    );
    for (const answer of answers) assert.match(answer, /ok$/);
    slow.destroy();
  });
});

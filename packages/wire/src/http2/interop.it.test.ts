import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import http2 from 'node:http2';
import { after, describe, test } from 'node:test';
import { Call, HeddleError, settle } from '@heddle/kernel';
import { streamBody, wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { request } from './testdata/client-by-hand.ts';
import { ask, connected, runtime, served } from './testdata/over-sockets.ts';

const bound = { timeout: 30_000 };
const trailing = { waitForTrailers: true };

/** Runs a program and gives what it printed; its exit must be 0. */
function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { timeout: 20_000, maxBuffer: 50_000_000 }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}

function missing(program: string): string | false {
  return spawnSync(program, ['--version']).error === undefined
    ? false
    : `SKIPPED: ${program} is not installed`;
}

describe('our server', () => {
  test('and node:http2', bound, async () => {
    const server = await served();
    const client = http2.connect(server.url);
    const exchanges = Array.from({ length: 50 }, async (_, turn) => {
      const content = Buffer.alloc(turn * 5000, turn);
      const path = turn % 2 === 0 ? '/pour' : '/gather';
      const stream = client.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
      let trailers: http2.IncomingHttpHeaders | undefined;
      stream.on('trailers', (fields: http2.IncomingHttpHeaders) => (trailers = fields));
      stream.end(content);
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      assert.ok(Buffer.concat(chunks).equals(content), `exchange ${turn}`);
      if (path === '/gather') assert.equal(trailers?.['grpc-status'], '0');
    });
    await Promise.all(exchanges);
    client.close();
    await server.stop();
  });

  test('and node:http2, with trailers in the request', bound, async () => {
    let seen: string | undefined;
    const server = await served(async ({ body }) => {
      await body.bytes(100);
      seen = body.trailers?.get('x-sum');
      return { status: 204, fields: new Fields(), body: wholeBody(new Uint8Array(0)) };
    });
    const client = http2.connect(server.url);
    const stream = client.request({ ':method': 'POST' }, {
      waitForTrailers: true,
    } as http2.ClientSessionRequestOptions);
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '5' }));
    stream.end('hello');
    const status = await new Promise<number | undefined>((resolve) => {
      stream.on('response', (fields) => resolve(fields[':status']));
    });
    assert.deepEqual([status, seen], [204, '5']);
    client.close();
    await server.stop();
  });

  test('and curl', { ...bound, skip: missing('curl') }, async () => {
    const server = await served();
    const content = 'x'.repeat(100_000);
    const url = `${server.url}/gather`;
    const small = await run('curl', [
      '-s',
      '--http2-prior-knowledge',
      '-w',
      '%{http_version} %{http_code}',
      '-d',
      'hello',
      url,
    ]);
    assert.equal(small, 'hello2 200');
    const large = await run('curl', ['-s', '--http2-prior-knowledge', '-d', content, `${server.url}/pour`]);
    assert.equal(large, content);
    await server.stop();
  });

  test('and h2load', { ...bound, skip: missing('h2load') }, async () => {
    const server = await served();
    const output = await run('h2load', ['-n', '5000', '-c', '5', '-m', '50', `${server.url}/x`]);
    assert.match(output, /5000 succeeded, 0 failed, 0 errored, 0 timeout/);
    await server.stop();
  });
});

describe('our client', () => {
  const server = http2.createServer();
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream: http2.ServerHttp2Stream, fields: http2.IncomingHttpHeaders) => {
    stream.on('error', () => {});
    if (fields[':path'] === '/refuse') {
      stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    if (fields[':path'] === '/hints') stream.additionalHeaders({ ':status': 103, link: '</a>' });
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.pipe(stream);
  });
  const listening = new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });

  test('and node:http2: content of every size, both ways, with trailers', bound, async () => {
    const client = await connected({ host: '127.0.0.1', port: await listening });
    const exchanges = Array.from({ length: 50 }, async (_, turn) => {
      const content = Buffer.alloc(turn * 5000, turn);
      const source = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < content.length; at += 3000) yield content.subarray(at, at + 3000);
      };
      const body = turn % 2 === 0 ? wholeBody(content) : streamBody(source());
      const response = await ask(client, request({ method: 'POST', path: '/hints', body }));
      const bytes = await response.body.bytes(10_000_000);
      assert.ok(content.equals(bytes), `exchange ${turn}`);
      assert.equal(response.body.trailers?.get('grpc-status'), '0');
    });
    await Promise.all(exchanges);
    assert.equal(client.active, 0);
    assert.ok((await client.ping()) < 10_000);
    await client.close();
  });

  test('and node:http2: refused, cancelled, going away', bound, async () => {
    const client = await connected({ host: '127.0.0.1', port: await listening });
    const refused = await settle(client.request, request({ path: '/refuse' }), Call.root(runtime));
    assert.ok(!refused.ok && !refused.error.sent && refused.error.is('unavailable', 'STREAM_REFUSED'));
    const call = Call.root(runtime);
    const endless = streamBody(
      (async function* (): AsyncGenerator<Uint8Array> {
        for (;;) yield Buffer.alloc(1000);
      })(),
    );
    const response = await client.request(request({ method: 'POST', path: '/', body: endless }), call);
    call.cancel(new HeddleError({ code: 'cancelled', reason: 'ENOUGH', message: 'enough' }));
    await assert.rejects(response.body.bytes(100_000_000), { reason: 'ENOUGH' });
    assert.equal(client.active, 0);
    for (const session of sessions) session.goaway();
    await client.closed;
    assert.equal(client.available, 0);
  });
});

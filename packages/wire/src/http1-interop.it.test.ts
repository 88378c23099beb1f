// The engine beside others: curl and node:http as clients, node:http as upstream, and our own two halves as a proxy
// between them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Call, perform } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Endpoint, endpoint } from './endpoint.ts';
import { streamBody, wholeBody } from './message/body.ts';
import { Fields } from './message/fields.ts';
import type { HttpRequest, HttpService } from './message/http.ts';
import { type HttpServer, serve } from './server.ts';

const run = promisify(execFile);
const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const anyPort = { host: '127.0.0.1', port: 0 };
const large = Buffer.alloc(3_000_000, 'heddle ');

const echo: HttpService = async ({ method, path, fields, body }) => {
  if (path === '/large') return { status: 200, fields: new Fields(), body: wholeBody(large) };
  if (path === '/stream') return { status: 200, fields: Fields.of({ 'x-method': method }), body };
  if (path === '/nothing') return { status: 204, fields: new Fields(), body };
  const content = await body.bytes(10_000_000);
  const digest = createHash('sha256').update(content).digest('hex');
  const seen = fields.get('x-seen') ?? '';
  return {
    status: 200,
    fields: Fields.of({ 'x-seen': seen }),
    body: wholeBody(Buffer.from(`${method} ${digest}`)),
  };
};

const digestOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

async function curl(...args: string[]): Promise<string> {
  const { stdout } = await run(
    'curl',
    ['--silent', '--show-error', '--http1.1', '--max-time', '20', ...args],
    {
      maxBuffer: 20_000_000,
      encoding: 'latin1',
    },
  );
  return stdout;
}

interface NodeAnswer {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly content: Buffer;
}

function ask(
  port: number,
  options: http.RequestOptions,
  content: readonly Uint8Array[] = [],
): Promise<NodeAnswer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode, headers, trailers } = response;
        resolve({ status: statusCode, headers, trailers, content: Buffer.concat(chunks) });
      });
    });
    request.on('error', reject);
    for (const chunk of content) request.write(chunk);
    request.end();
  });
}

/** The same tests for a server of ours, and for a proxy of ours in front of another's. */
function asServer(port: () => number): void {
  it('answers curl: content both ways, chunked or not', async () => {
    const url = `http://127.0.0.1:${port()}`;
    const plain = await curl('-d', 'hello', `${url}/`);
    assert.equal(plain, `POST ${digestOf(Buffer.from('hello'))}`);
    const chunked = await curl('-H', 'Transfer-Encoding: chunked', '-d', 'hello', `${url}/`);
    assert.equal(chunked, plain);
    assert.equal((await curl(`${url}/large`)).length, large.length);
  });

  it('keeps the connection for curl', async () => {
    const url = `http://127.0.0.1:${port()}/`;
    const counts = await curl('-o', '/dev/null', '-o', '/dev/null', '-w', '%{num_connects} ', url, url);
    assert.equal(counts, '1 0 ');
  });

  it('answers curl’s HEAD, HTTP/1.0 and Expect', async () => {
    const url = `http://127.0.0.1:${port()}/`;
    assert.match(await curl('-I', url), /^HTTP\/1.1 200 OK\r\n[^]*content-length: 69\r\n/i);
    assert.match(await curl('--http1.0', url), /^GET /);
    assert.match(await curl('-H', 'Expect: 100-continue', '-d', 'hello', url), /^POST /);
  });

  it('answers node:http: many requests at once, streams, trailers aside', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
    const contents = Array.from({ length: 100 }, (_, index) => Buffer.alloc(index * 997, String(index)));
    const answers = await Promise.all(
      contents.map((content) =>
        ask(port(), { agent, method: 'PUT', path: '/', headers: { 'x-seen': 'é' } }, [content]),
      ),
    );
    for (const [index, { status, headers, content }] of answers.entries()) {
      assert.equal(status, 200);
      assert.equal(headers['x-seen'], 'é');
      assert.equal(content.toString(), `PUT ${digestOf(contents[index] as Buffer)}`);
    }
    const streamed = await ask(port(), { agent, method: 'POST', path: '/stream' }, [large, large]);
    assert.equal(digestOf(streamed.content), digestOf(Buffer.concat([large, large])));
    assert.equal((await ask(port(), { agent, path: '/nothing' })).status, 204);
    agent.destroy();
  });
}

describe('serve', () => {
  let server: HttpServer;
  before(async () => {
    server = await serve(echo, { runtime, address: anyPort });
  });
  after(() => server.stop());
  asServer(() => server.address.port);

  it('sends trailers that node:http understands', async () => {
    const trailing = await serve(
      async () => {
        const chunks = async function* (): AsyncGenerator<Uint8Array> {
          yield Buffer.from('x');
        };
        return {
          status: 200,
          fields: new Fields(),
          body: streamBody(chunks(), { trailers: () => Fields.of({ 'x-sum': '1' }) }),
        };
      },
      { runtime, address: anyPort },
    );
    const { trailers } = await ask(trailing.address.port, { agent: false });
    assert.deepEqual({ ...trailers }, { 'x-sum': '1' });
    await trailing.stop();
  });
});

describe('endpoint before node:http, behind serve', () => {
  let upstream: http.Server;
  let target: Endpoint;
  let proxy: HttpServer;
  let sockets = 0;

  before(async () => {
    upstream = http.createServer((request, response) => {
      const { method, url } = request;
      if (url === '/large') response.end(large);
      else if (url === '/nothing') response.writeHead(204).end();
      else if (url === '/stream') request.pipe(response);
      else if (url === '/trailers') {
        request.resume().on('end', () => {
          response.writeHead(200, { trailer: 'x-sum' });
          response.write('x');
          response.addTrailers({ 'x-sum': request.trailers['x-sum'] ?? 'none' });
          response.end();
        });
      } else {
        const hash = createHash('sha256');
        request.on('data', (chunk) => hash.update(chunk));
        request.on('end', () => {
          response.setHeader('x-seen', request.headers['x-seen'] ?? '');
          const answer = Buffer.from(`${method} ${hash.digest('hex')}`);
          response.setHeader('content-length', answer.length);
          response.end(answer);
        });
      }
    });
    upstream.on('connection', () => sockets++);
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const { port } = upstream.address() as AddressInfo;
    target = endpoint({ runtime, address: { host: '127.0.0.1', port }, protocol: 'http1' });
    proxy = await serve((request, call) => target.request(request, call), { runtime, address: anyPort });
  });
  after(async () => {
    await proxy.stop();
    target.close();
    upstream.closeAllConnections();
    await new Promise((resolve) => upstream.close(resolve));
  });
  asServer(() => proxy.address.port);

  const request = (method: string, path: string, body: HttpRequest['body']): HttpRequest => {
    const fields = new Fields();
    return { method, scheme: 'http', authority: 'a', path, fields, body };
  };

  it('uses its connections again', async () => {
    const before = sockets;
    for (let i = 0; i < 20; i++) {
      const call = Call.root(runtime);
      const { body } = await perform(target.request, request('POST', '/', wholeBody(Buffer.from('x'))), call);
      await body.bytes(1000);
    }
    assert.ok(sockets - before <= 1, `${sockets - before} new connections`);
    assert.equal(target.inFlight, 0);
  });

  it('passes trailers both ways', async () => {
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
    };
    const body = streamBody(chunks(), { trailers: () => Fields.of({ 'x-sum': '42' }) });
    const answer = await perform(target.request, request('POST', '/trailers', body), Call.root(runtime));
    assert.equal(Buffer.from(await answer.body.bytes(10)).toString(), 'x');
    assert.equal(answer.body.trailers?.get('x-sum'), '42');
  });
});

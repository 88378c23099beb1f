// Server and endpoint over TLS, with each other and with the real things: node:https, node:http2, curl, openssl.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectHttp2, createSecureServer } from 'node:http2';
import { Agent, createServer as createHttpsServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { Call, type HeddleError, perform, settle, type TlsIdentity } from '@heddle/kernel';
import { nodeRuntime, TlsStore } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { type Endpoint, type EndpointOptions, endpoint } from '../endpoint.ts';
import { type Body, emptyBody, streamBody, wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { type HttpRequest, type HttpService, peer } from '../message/http.ts';
import type { EndpointTls } from '../pool/dial.ts';
import { type HttpServer, type ServeTls, serve } from '../server.ts';
import { isThere, run } from './testdata/openssl.ts';

const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const anyPort = { host: '127.0.0.1', port: 0 };
const authority = new TestAuthority('authority', runtime.clock.wallMs());
const stranger = new TestAuthority('stranger', runtime.clock.wallMs());
const trust = authority.certificate;
const local = authority.issue({ addresses: ['127.0.0.1'], dnsNames: ['localhost'] });
const alpha = authority.issue({ dnsNames: ['alpha.test', '*.wild.test'] });
const alice = authority.issue({ subject: 'alice', uris: ['spiffe://test/alice'] });
const protocols = ['http1', 'http2', 'auto'] as const;

const post = (body: Body = emptyBody): HttpRequest => {
  return { method: 'POST', scheme: 'http', authority: 'a', path: '/', fields: new Fields(), body };
};
const echo: HttpService = async ({ body }) => ({ status: 200, fields: new Fields(), body });
/** Answers with what the server knows of the client. */
const who: HttpService = async ({ scheme }, call) => {
  const { tls } = call.get(peer) ?? {};
  const certificate = tls?.certificate;
  const known = {
    scheme,
    alpn: tls?.alpn ?? null,
    name: tls?.serverName ?? null,
    resumed: tls?.resumed,
    uris: certificate?.uris ?? [],
    subject: certificate?.subject ?? null,
    verified: certificate?.verified ?? null,
    problem: certificate?.problem ?? null,
  };
  return { status: 200, fields: new Fields(), body: wholeBody(Buffer.from(JSON.stringify(known))) };
};

const opened: { stop(): unknown }[] = [];
after(async () => {
  for (const open of opened) await open.stop();
});

const server = async (service: HttpService, tls: Partial<ServeTls> = {}): Promise<HttpServer> => {
  const source = new TlsStore({ identities: [local, alpha], trust });
  const served = await serve(service, { runtime, address: anyPort, tls: { source, ...tls } });
  opened.push(served);
  return served;
};

type Protocol = EndpointOptions['protocol'];
const target = (port: number, protocol: Protocol, tls: Partial<EndpointTls> = {}): Endpoint => {
  const source = new TlsStore({ identities: [], trust });
  const address = { host: '127.0.0.1', port };
  const made = endpoint({ runtime, address, protocol, tls: { source, ...tls } });
  opened.push({ stop: () => made.close() });
  return made;
};
const shows = (...identities: readonly TlsIdentity[]): TlsStore => new TlsStore({ identities, trust });

const ask = async (way: Endpoint, body?: Body): Promise<string> => {
  const answer = await perform(way.request, post(body), Call.root(runtime));
  return Buffer.from(await answer.body.bytes(100_000_000)).toString();
};
const failure = async (way: Endpoint): Promise<HeddleError> => {
  const result = await settle(way.request, post(), Call.root(runtime));
  assert.ok(!result.ok, 'the request must not succeed');
  way.close();
  return result.error;
};
const until = async (condition: () => boolean, what: string): Promise<void> => {
  const endMs = performance.now() + 5000;
  while (!condition()) {
    assert.ok(performance.now() < endMs, `in time: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

for (const protocol of protocols) {
  describe(`${protocol} over TLS`, () => {
    it('carries 10 MB both ways at once', async () => {
      const { address } = await server(echo);
      const block = Buffer.alloc(100_000, 7);
      async function* blocks(): AsyncGenerator<Uint8Array> {
        for (let index = 0; index < 100; index++) yield block;
      }
      const way = target(address.port, protocol);
      assert.equal((await ask(way, streamBody(blocks()))).length, 10_000_000);
      const whole = Buffer.alloc(10_000_000, 'x');
      assert.equal((await ask(way, wholeBody(whole))).length, 10_000_000);
      way.close();
    });

    it('tells the service that the scheme is https, and who asks', async () => {
      const { address } = await server(who, { clients: 'require' });
      const way = target(address.port, protocol, { source: shows(alice), serverName: 'localhost' });
      const known = JSON.parse(await ask(way)) as Record<string, unknown>;
      const alpn = protocol === 'http1' ? 'http/1.1' : 'h2';
      assert.deepEqual(known, {
        scheme: 'https',
        alpn,
        name: 'localhost',
        resumed: false,
        uris: ['spiffe://test/alice'],
        subject: 'CN=alice',
        verified: true,
        problem: null,
      });
      way.close();
    });

    it('hears why it is not let in, and that nothing was sent', async () => {
      const served = await server(echo, { clients: 'require' });
      const error = await failure(target(served.address.port, protocol));
      assert.ok(error.is('unauthenticated', 'OWN_CERTIFICATE_REFUSED'), error.message);
      assert.equal(error.sent, false);
      await until(() => served.refusals.get('CERTIFICATE_MISSING') === 1, 'the server has counted it');
      assert.equal(served.connections, 0);
    });

    it('refuses a server that is not who it should be', async () => {
      const { address } = await server(echo);
      const unknown = new TlsStore({ identities: [], trust: stranger.certificate });
      const untrusted = await failure(target(address.port, protocol, { source: unknown }));
      assert.ok(untrusted.is('unauthenticated', 'CERTIFICATE_NOT_TRUSTED'), untrusted.message);
      const misnamed = await failure(target(address.port, protocol, { serverName: 'beta.test' }));
      assert.ok(misnamed.is('unauthenticated', 'NAME_MISMATCH'), misnamed.message);
      assert.match(misnamed.message, /expected a certificate for beta\.test, found one for localhost/);
      const wrongUri = await failure(target(address.port, protocol, { peerUri: 'spiffe://test/bob' }));
      assert.ok(wrongUri.is('unauthenticated', 'NAME_MISMATCH'), wrongUri.message);
      for (const { sent } of [untrusted, misnamed, wrongUri]) assert.equal(sent, false);
    });

    it('finds no TLS where none is spoken', async () => {
      const plain = await serve(echo, { runtime, address: anyPort });
      opened.push(plain);
      const error = await failure(target(plain.address.port, protocol));
      assert.ok(error.is('unavailable', 'TLS_HANDSHAKE_FAILED'), `${error.reason} ${error.message}`);
      assert.match(error.message, /is it spoken on that port/);
      assert.equal(error.sent, false);
    });
  });
}

describe('a server of TLS', () => {
  it('fails no request while its certificate is renewed and clients come and go', async () => {
    const store = new TlsStore({ identities: [local], trust });
    const { address } = await server(echo, { source: store, clients: 'require' });
    const ways = protocols.map((protocol) => target(address.port, protocol, { source: shows(alice) }));
    let renewals = 0;
    let answers = 0;
    const load = async (lasting: Endpoint, protocol: Protocol): Promise<void> => {
      for (let round = 0; round < 40; round++) {
        const passing = target(address.port, protocol, { source: shows(alice) });
        const texts = await Promise.all([ask(lasting, wholeBody(Buffer.from('x'))), ask(passing)]);
        assert.deepEqual(texts, ['x', '']);
        passing.close();
        answers += 2;
        store.update({ identities: [authority.issue({ addresses: ['127.0.0.1'] })], trust });
        renewals++;
      }
    };
    await Promise.all(ways.map((way, index) => load(way, protocols[index] ?? 'auto')));
    assert.equal(answers, 240);
    assert.equal(renewals, 120);
    for (const way of ways) way.close();
  });

  it('keeps no connection, and little memory, of clients that come back with certificates', async () => {
    const served = await server(echo, { clients: 'require' });
    const source = shows(alice);
    const round = async (times: number): Promise<void> => {
      for (let time = 0; time < times; time++) {
        const way = target(served.address.port, 'http1', { source });
        await ask(way);
        way.close();
      }
      opened.splice(opened.length - times, times);
      await until(() => served.connections === 0, 'all connections are gone');
    };
    await round(200);
    const before = process.memoryUsage().rss;
    await round(800);
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 40_000_000, `${grown} bytes more after 800 connections`);
    const sockets = process.getActiveResourcesInfo().filter((what) => /TLS|TCPSocket/.test(what));
    assert.ok(sockets.length < 40, `${sockets.length} sockets are left`);
  });

  it('says of a client with a bad certificate that it is not verified, where certificates are only requested', async () => {
    const { address } = await server(who, { clients: 'request' });
    const stray = stranger.issue({ uris: ['spiffe://test/alice'] });
    const known = JSON.parse(await ask(target(address.port, 'auto', { source: shows(stray) })));
    assert.equal(known.verified, false);
    assert.equal(known.problem, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    const none = JSON.parse(await ask(target(address.port, 'auto')));
    assert.equal(none.verified, null);
  });

  it('answers node:https, node:http2 and clients that do not speak of ALPN', async () => {
    const { address } = await server(who);
    const { port } = address;
    const agent = new Agent({ ca: trust, ALPNProtocols: ['http/1.1'] });
    const overHttps = await new Promise<string>((resolve, reject) => {
      get({ host: '127.0.0.1', port, agent }, (response) => {
        response.setEncoding('utf8');
        let text = '';
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve(text));
      }).on('error', reject);
    });
    agent.destroy();
    assert.equal(JSON.parse(overHttps).alpn, 'http/1.1');
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: trust });
    const stream = session.request({ ':path': '/' });
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) text += chunk;
    assert.equal(JSON.parse(text).alpn, 'h2');
    session.destroy();
    const preface = connect({ host: '127.0.0.1', port, ca: trust });
    preface.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    let answer = '';
    for await (const chunk of preface.setEncoding('utf8')) answer += chunk;
    assert.match(answer, /"scheme":"https","alpn":null/);
  });
});

describe('an endpoint over TLS', () => {
  it('speaks to node:https and node:http2, and chooses anew when the server has changed', async () => {
    const secrets = { cert: local.certificates, key: local.privateKey };
    const old = createHttpsServer(secrets, (_request, response) => response.end('http1'));
    old.listen(0, '127.0.0.1');
    await once(old, 'listening');
    const { port } = old.address() as AddressInfo;
    const way = target(port, 'auto');
    const states: string[] = [];
    way.onState((state) => states.push(state));
    assert.equal(await ask(way), 'http1');
    assert.equal(way.state, 'ready');
    old.closeAllConnections();
    await new Promise((resolve) => old.close(resolve));
    await until(() => way.state !== 'ready', 'the endpoint has noticed');
    const next = createSecureServer(secrets, (_request, response) => response.end('http2'));
    next.listen(port, '127.0.0.1');
    await once(next, 'listening');
    const first = await settle(way.request, post(), Call.root(runtime));
    if (!first.ok) assert.equal(first.error.sent, false);
    assert.equal(await ask(way), 'http2');
    assert.equal(states[0], 'connecting');
    way.close();
    next.close();
  });

  it('resumes sessions of its own identity only', async () => {
    const { address } = await server(who, { clients: 'require' });
    const bob = authority.issue({ uris: ['spiffe://test/bob'] });
    const asAlice = shows(alice);
    const asBob = shows(bob);
    const known = async (source: TlsStore): Promise<{ resumed: boolean; uris: string[] }> => {
      const way = target(address.port, 'http1', { source });
      const answer = JSON.parse(await ask(way));
      way.close();
      return answer;
    };
    assert.equal((await known(asAlice)).resumed, false);
    assert.equal((await known(asAlice)).resumed, true);
    const first = await known(asBob);
    assert.deepEqual([first.resumed, first.uris], [false, ['spiffe://test/bob']]);
    const again = await known(asBob);
    assert.deepEqual([again.resumed, again.uris], [true, ['spiffe://test/bob']]);
  });
});

describe('programs of others', () => {
  let folder = '';
  let file = (name: string): string => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heddle-tls-'));
    file = (name) => join(folder, name);
    await writeFile(file('ca.pem'), trust);
    await writeFile(file('alice.pem'), alice.certificates);
    await writeFile(file('alice.key'), alice.privateKey);
    await writeFile(file('server.pem'), local.certificates);
    await writeFile(file('server.key'), local.privateKey);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('curl: HTTP/1.1, HTTP/2 and a certificate of its own', async (t) => {
    if (!(await isThere('curl', '--version'))) return t.skip('no curl on this machine');
    const { address } = await server(who, { clients: 'require' });
    const url = `https://127.0.0.1:${address.port}/`;
    const own = ['--cacert', file('ca.pem'), '--cert', file('alice.pem'), '--key', file('alice.key')];
    for (const [option, alpn] of [
      ['--http1.1', 'http/1.1'],
      ['--http2', 'h2'],
    ] as const) {
      const { text, code } = await run('curl', ['-sS', option, ...own, url]);
      assert.equal(code, 0, text);
      assert.equal(JSON.parse(text).alpn, alpn);
      assert.equal(JSON.parse(text).uris[0], 'spiffe://test/alice');
    }
    const bare = await run('curl', ['-sS', '--cacert', file('ca.pem'), url]);
    assert.notEqual(bare.code, 0);
  });

  it('openssl s_client: certificates by server name, versions, ALPN', async (t) => {
    if (!(await isThere('openssl', 'version'))) return t.skip('no openssl on this machine');
    const { address } = await server(who);
    const to = ['s_client', '-connect', `127.0.0.1:${address.port}`, '-CAfile', file('ca.pem')];
    const named = async (name: string): Promise<string> => {
      const { text } = await run('openssl', [...to, '-servername', name, '-verify_hostname', name], 'Q\n');
      return /Verification: OK/.test(text) ? 'OK' : text;
    };
    assert.equal(await named('alpha.test'), 'OK');
    assert.equal(await named('ALPHA.test'), 'OK');
    assert.equal(await named('one.wild.test'), 'OK');
    assert.equal(await named('localhost'), 'OK');
    assert.match(await named('two.one.wild.test'), /hostname mismatch/i);
    assert.match((await run('openssl', [...to, '-tls1_2', '-alpn', 'h2'], 'Q\n')).text, /ALPN protocol: h2/);
    assert.notEqual((await run('openssl', [...to, '-tls1_1'], 'Q\n')).code, 0);
    assert.notEqual((await run('openssl', [...to, '-alpn', 'spdy/1'], 'Q\n')).code, 0);
  });
});

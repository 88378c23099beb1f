// 421 on real handshakes, with node:http2 as the client that takes one connection for several hosts.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type ClientHttp2Session } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { after, describe, it } from 'node:test';
import { nodeRuntime, TlsStore } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import type { HttpService } from '../message/http.ts';
import { type HttpServer, serve, type ServeTls } from '../server.ts';

const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const authority = new TestAuthority('authority', runtime.clock.wallMs());
const { certificate: ca } = authority;
const identities = [
  authority.issue({ dnsNames: ['localhost', 'also.test', '*.wild.test'], addresses: ['127.0.0.1'] }),
  authority.issue({ dnsNames: ['other.test'] }),
];
const hello: HttpService = async ({ authority: host, body }) => {
  await body.bytes(1000);
  return { status: 200, fields: new Fields(), body: wholeBody(Buffer.from(host)) };
};

const servers: HttpServer[] = [];
const sessions: ClientHttp2Session[] = [];
after(async () => {
  for (const session of sessions) session.destroy();
  for (const server of servers) await server.stop();
});

async function served(tls: Partial<ServeTls> = { misdirected: 'refuse' }): Promise<number> {
  const source = new TlsStore({ identities });
  const server = await serve(hello, {
    runtime,
    address: { host: '127.0.0.1', port: 0 },
    tls: { source, ...tls },
  });
  servers.push(server);
  return server.address.port;
}

async function statusOverHttp2(session: ClientHttp2Session, host: string): Promise<unknown> {
  const stream = session.request({ ':authority': host, ':method': 'POST' });
  stream.end('hello');
  const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
  stream.resume();
  return head[':status'];
}

function session(port: number, servername: string): ClientHttp2Session {
  const made = connect(`https://127.0.0.1:${port}`, { ca, servername });
  sessions.push(made);
  return made;
}

describe('a request for an authority', () => {
  it('that the certificate covers is served, one that it does not gets 421, and the connection goes on', async () => {
    const port = await served();
    const one = session(port, 'localhost');
    for (const [host, status] of [
      ['localhost', 200],
      [`localhost:${port}`, 200],
      ['LOCALHOST.', 200],
      ['also.test', 200],
      ['a.wild.test', 200],
      ['127.0.0.1:443', 200],
      ['other.test', 421],
      ['wild.test', 421],
      ['a.b.wild.test', 421],
      ['127.0.0.2', 421],
      ['[::1]:443', 421],
      ['localhost', 200],
    ] as const)
      assert.equal(await statusOverHttp2(one, host), status, host);
    assert.equal(servers.at(-1)?.refusals.get('MISDIRECTED'), 5);
  });

  it('is judged by the certificate that was shown for the server name', async () => {
    const port = await served();
    const other = session(port, 'other.test');
    assert.equal(await statusOverHttp2(other, 'other.test'), 200);
    assert.equal(await statusOverHttp2(other, 'localhost'), 421);
  });

  it('is judged the same in HTTP/1.1', async () => {
    const port = await served();
    for (const [host, status] of [
      ['also.test', 200],
      ['other.test', 421],
    ] as const) {
      const options = {
        host: '127.0.0.1',
        port,
        ca,
        servername: 'localhost',
        headers: { host },
        agent: false,
      };
      const asked = requestHttps(options).end();
      const [response] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }];
      response.resume();
      assert.equal(response.statusCode, status);
    }
  });

  it('is nobody’s business by default', async () => {
    assert.equal(await statusOverHttp2(session(await served({}), 'localhost'), 'other.test'), 200);
  });
});

// Several servers of TLS at one place: which one takes a connection is known from its first bytes.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Connection } from '../ports/net.ts';
import type { TlsByNameOptions, TlsMaterial, TlsSession } from '../ports/tls.ts';
import { ConnectionRecorder } from '../testing/connection-recorder.ts';
import { TestAuthority } from '../testing/test-authority.ts';
import { until } from '../testing/until.ts';
import { firstBytes } from './client-hello.ts';
import { nodeClock } from './clock.ts';
import { nodeNet } from './net.ts';
import { nodeTimers } from './timers.ts';
import { TlsStore } from './tls-store.ts';

const ports = { clock: nodeClock, timers: nodeTimers };

const authority = new TestAuthority('authority', nodeClock.wallMs());
const stranger = new TestAuthority('stranger', nodeClock.wallMs());
const trust = authority.certificate;
const store = (name: string, more: Partial<TlsMaterial> = {}): TlsStore => {
  const identity = authority.issue({ subject: name, dnsNames: [name] });
  return new TlsStore({ identities: [identity], trust, ...more });
};
const alice = authority.issue({ subject: 'alice', uris: ['spiffe://test/alice'] });
const mallory = stranger.issue({ subject: 'mallory' });

interface Served {
  readonly port: number;
  readonly accepted: (TlsSession | undefined)[];
  readonly passed: { readonly serverName: string | undefined; readonly recorder: ConnectionRecorder }[];
  readonly refused: string[];
}

async function serving(
  choose: TlsByNameOptions['choose'],
  work: (served: Served) => Promise<void>,
): Promise<void> {
  const served = { accepted: [], passed: [], refused: [] } as Omit<Served, 'port'>;
  const recorders: ConnectionRecorder[] = [];
  const accept = (connection: Connection): void => {
    const recorder = new ConnectionRecorder(connection, { echo: connection.passed === undefined });
    recorders.push(recorder);
    if (connection.passed === undefined) served.accepted.push(connection.tls);
    else served.passed.push({ serverName: connection.passed.serverName, recorder });
  };
  const tlsByName = { choose, refused: (why: string) => served.refused.push(why) };
  const listener = await nodeNet.listen({ host: '127.0.0.1', port: 0 }, accept, { tlsByName });
  try {
    await work({ ...served, port: listener.address.port });
  } finally {
    await listener.close();
    for (const { connection } of recorders) connection.destroy();
  }
}

/** Says who has answered; `refused` where nobody did. TLS 1.3 may refuse a client only after its handshake. */
async function asked(port: number, servername: string, options: ConnectionOptions = {}): Promise<string> {
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    servername,
    ca: trust,
    checkServerIdentity: () => undefined,
    ...options,
  });
  const over = new Promise<string>((resolve) => {
    socket.on('error', () => resolve('refused'));
    socket.on('close', () => resolve('refused'));
  });
  socket.write('ping');
  const name = once(socket, 'data').then(() => String(socket.getPeerCertificate().subject.CN));
  const found = await Promise.race([over, name.catch(() => 'refused')]);
  socket.destroy();
  return found;
}

/** The first bytes of a client. */
async function clientHello(servername: string): Promise<Buffer> {
  const listening = createTcpServer().listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  assert.ok(address !== null && typeof address === 'object');
  const client: TLSSocket = connectTls({ host: '127.0.0.1', port: address.port, servername });
  client.on('error', () => {});
  const [socket] = (await once(listening, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  listening.close();
  return hello;
}

describe('servers of several names', () => {
  it('each has its certificate, and its own rule for those of clients', async () => {
    const [open, closed, either] = [store('open.test'), store('closed.test'), store('either.test')];
    const choose: TlsByNameOptions['choose'] = (name) => {
      if (name === 'closed.test') return { source: closed, clients: 'require' };
      if (name === 'either.test') return { source: either, clients: 'optional' };
      return name === 'nobody.test' ? undefined : { source: open };
    };
    await serving(choose, async ({ port, accepted, refused }) => {
      const known = { cert: alice.certificates, key: alice.privateKey };
      const unknown = { cert: mallory.certificates, key: mallory.privateKey };
      assert.equal(await asked(port, 'OPEN.test'), 'open.test');
      assert.equal(await asked(port, ''), 'open.test');
      assert.equal(await asked(port, 'closed.test'), 'refused');
      assert.equal(await asked(port, 'closed.test', unknown), 'refused');
      assert.equal(await asked(port, 'closed.test', known), 'closed.test');
      assert.equal(await asked(port, 'either.test'), 'either.test');
      assert.equal(await asked(port, 'either.test', unknown), 'refused');
      assert.equal(await asked(port, 'either.test', known), 'either.test');
      assert.equal(await asked(port, 'nobody.test'), 'refused');
      assert.deepEqual(
        accepted.map((tls) => [tls?.serverName, tls?.certificate?.verified]),
        [
          ['open.test', undefined],
          [undefined, undefined],
          ['closed.test', true],
          ['either.test', undefined],
          ['either.test', true],
        ],
      );
      assert.ok(refused.includes('SERVER_NAME_UNKNOWN'), String(refused));
    });
  });

  it('a session of one is not resumed at another that wants more', async () => {
    const choose: TlsByNameOptions['choose'] = (name) =>
      name === 'closed.test' ? { source: closed, clients: 'require' } : { source: open };
    const [open, closed] = [store('open.test'), store('closed.test')];
    await serving(choose, async ({ port }) => {
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        let session: Buffer | undefined;
        const first = connectTls({ host: '127.0.0.1', port, servername: 'open.test', ca: trust, maxVersion });
        first.on('session', (bytes: Buffer) => (session = bytes));
        first.write('ping');
        await once(first, 'data');
        await until(ports, 'a session', 5000, () => session !== undefined);
        first.destroy();
        assert.ok(session !== undefined);
        assert.equal(await asked(port, 'closed.test', { session, maxVersion }), 'refused', maxVersion);
      }
    });
  });

  it('versions and ciphers are those of the material, and TLS 1.3 is left alone', async () => {
    const strict = store('strict.test', { oldest: 'TLSv1.3' });
    const old = store('old.test', { newest: 'TLSv1.2' });
    const few = store('few.test', { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384' });
    const choose: TlsByNameOptions['choose'] = (name) => ({
      source: name === 'strict.test' ? strict : name === 'old.test' ? old : few,
    });
    await serving(choose, async ({ port }) => {
      assert.equal(await asked(port, 'strict.test', { maxVersion: 'TLSv1.2' }), 'refused');
      assert.equal(await asked(port, 'strict.test'), 'strict.test');
      assert.equal(await asked(port, 'old.test', { minVersion: 'TLSv1.3' }), 'refused');
      assert.equal(await asked(port, 'old.test'), 'old.test');
      const weaker = 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256';
      assert.equal(await asked(port, 'few.test', { maxVersion: 'TLSv1.2', ciphers: weaker }), 'refused');
      assert.equal(await asked(port, 'few.test', { maxVersion: 'TLSv1.2' }), 'few.test');
      assert.equal(await asked(port, 'few.test', { minVersion: 'TLSv1.3' }), 'few.test');
    });
  });

  it('one that is passed is handed over with every byte that it has sent, however it came', async () => {
    await serving(
      () => 'pass',
      async ({ port, passed, refused }) => {
        const hello = await clientHello('deep.inside.test');
        const socket = connectTcp(port, '127.0.0.1');
        socket.setNoDelay(true);
        await once(socket, 'connect');
        for (const byte of hello) {
          socket.write(Uint8Array.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await until(
          ports,
          'all bytes',
          5000,
          () => passed.length === 1 && passed[0]?.recorder.bytes === hello.length,
        );
        assert.equal(passed[0]?.serverName, 'deep.inside.test');
        assert.deepEqual(Buffer.from(passed[0]?.recorder.content ?? []), hello);
        socket.destroy();
        const plain = connectTcp(port, '127.0.0.1');
        plain.on('error', () => {});
        plain.write('GET / HTTP/1.1\r\n\r\n');
        await once(plain, 'close');
        assert.deepEqual(refused, ['NO_HANDSHAKE']);
      },
    );
  });
});

describe('the first bytes of a connection', () => {
  it('say the name also where the ClientHello is in several records, and nothing before it is whole', async () => {
    const hello = await clientHello('a.test');
    const message = hello.subarray(5);
    const record = (bytes: Uint8Array): Buffer =>
      Buffer.concat([Uint8Array.of(22, 3, 1, bytes.length >> 8, bytes.length & 255), bytes]);
    for (const cut of [1, 3, 40, message.length - 1]) {
      const two = Buffer.concat([record(message.subarray(0, cut)), record(message.subarray(cut))]);
      assert.deepEqual(firstBytes(two), { kind: 'hello', serverName: 'a.test' });
    }
    for (let length = 0; length < hello.length; length++)
      assert.deepEqual(firstBytes(hello.subarray(0, length)), { kind: 'more' }, String(length));
  });

  it('are something else where lengths lie, and no bytes make it throw', async () => {
    const hello = await clientHello('a.test');
    for (let at = 0; at < hello.length; at++)
      for (const value of [0, 1, 0x7f, 0xff]) {
        const bytes = Buffer.from(hello);
        bytes[at] = value;
        const found = firstBytes(bytes);
        assert.ok(['more', 'other', 'hello'].includes(found.kind));
      }
    assert.deepEqual(firstBytes(Buffer.from('GET / HTTP/1.1\r\n')), { kind: 'other' });
    // It is never waited for without end.
    const endless = Buffer.concat(
      Array.from({ length: 4 }, () =>
        Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0]), Buffer.alloc(0x4000)]),
      ),
    );
    endless.set([1, 0xff, 0xff, 0xff], 5);
    assert.deepEqual(firstBytes(endless), { kind: 'other' });
  });
});

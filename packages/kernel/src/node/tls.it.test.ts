// TLS behind the Net port, against node:tls and bytes made by hand: who is let in, what is chosen, what is refused.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { HeddleError } from '../error.ts';
import type { Connection, Listener } from '../ports/net.ts';
import type { TlsConnectOptions, TlsListenOptions, TlsMaterial, TlsSession } from '../ports/tls.ts';
import { simulatedRuntime } from '../simulated/index.ts';
import { ConnectionRecorder } from '../testing/connection-recorder.ts';
import { TestAuthority } from '../testing/test-authority.ts';
import { nodeClock } from './clock.ts';
import { nodeNet } from './net.ts';
import { TlsStore } from './tls-store.ts';

const nowMs = nodeClock.wallMs();
const hourMs = 3_600_000;
const authority = new TestAuthority('authority', nowMs);
const stranger = new TestAuthority('stranger', nowMs);
const trust = authority.certificate;
const anyPort = { host: '127.0.0.1', port: 0 };
const local = authority.issue({ subject: 'default', addresses: ['127.0.0.1'], dnsNames: ['localhost'] });
const alpha = authority.issue({ subject: 'alpha', dnsNames: ['alpha.test', '*.wild.test'] });
const alice = authority.issue({ subject: 'alice', uris: ['spiffe://test/alice'] });
const store = (material: Partial<TlsMaterial>): TlsStore =>
  new TlsStore({ identities: [], trust, ...material });

interface Served {
  readonly listener: Listener;
  readonly accepted: TlsSession[];
  readonly refused: string[];
}

/** Listens, echoes, and writes down who came and who was not let in. */
async function serving(
  options: Partial<TlsListenOptions>,
  work: (served: Served) => Promise<void>,
): Promise<void> {
  const accepted: TlsSession[] = [];
  const refused: string[] = [];
  const recorders: ConnectionRecorder[] = [];
  const accept = (connection: Connection): void => {
    if (connection.tls !== undefined) accepted.push(connection.tls);
    recorders.push(new ConnectionRecorder(connection, { echo: true }));
  };
  const tls = { source: store({ identities: [local, alpha] }), refused: (why: string) => refused.push(why) };
  const listener = await nodeNet.listen(anyPort, accept, { tls: { ...tls, ...options } });
  try {
    await work({ listener, accepted, refused });
  } finally {
    await listener.close();
    for (const { connection } of recorders) connection.destroy();
  }
}

/** Connects, has four bytes echoed, and gives what TLS found out. */
async function echoed({ listener }: Served, options: Partial<TlsConnectOptions> = {}): Promise<TlsSession> {
  const tls = { source: store({}), ...options };
  const recorder = new ConnectionRecorder(await nodeNet.connect(listener.address, { tls }));
  recorder.write(Buffer.from('ping'));
  // Rejects when it closes before that.
  const answered = recorder.until(() => recorder.bytes === 4).catch(() => {});
  await Promise.race([answered, recorder.ended]);
  recorder.connection.destroy();
  const error = await recorder.closed;
  if (recorder.bytes < 4) throw error ?? new Error('the server ended the connection');
  assert.ok(recorder.connection.tls !== undefined);
  return recorder.connection.tls;
}

async function refuses(work: Promise<unknown>, code: string, reason: string): Promise<HeddleError> {
  let error: unknown;
  await work.catch((thrown: unknown) => {
    error = thrown;
  });
  assert.ok(error instanceof HeddleError, `expected ${reason}, found ${String(error)}`);
  assert.deepEqual([error.code, error.reason, error.sent], [code, reason, false], error.message);
  return error;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const endMs = nodeClock.nowMs() + 5000;
  while (!condition()) {
    assert.ok(nodeClock.nowMs() < endMs, `in time: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function rawTo({ listener }: Served): Promise<Socket> {
  const socket = connectTcp(listener.address.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

describe('the certificate for a server name', () => {
  const subjectFor = async (served: Served, servername: string): Promise<string> => {
    const { port } = served.listener.address;
    const socket = connectTls({
      host: '127.0.0.1',
      port,
      servername,
      ca: trust,
      checkServerIdentity: () => undefined,
    });
    await once(socket, 'secureConnect');
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return String(subject.CN);
  };

  it('is chosen exactly, or by a wildcard for one label, whatever the case; else it is the first', () =>
    serving({}, async (served) => {
      for (const name of ['alpha.test', 'ALPHA.Test', 'alpha.test.', 'one.wild.test', 'ONE.WILD.TEST']) {
        assert.equal(await subjectFor(served, name), 'alpha', name);
      }
      for (const name of ['localhost', 'wild.test', 'two.one.wild.test', 'other.test', '']) {
        assert.equal(await subjectFor(served, name), 'default', name);
      }
    }));

  it('for a name that is none, the first or a refusal: never a crash', () =>
    serving({}, async (served) => {
      const hello = await clientHello('aaaaaaaaaaaa.test');
      const odd = [
        'a\0aaaaaaaaaa.test',
        '\xff\xfe\x80aaaaaaaaa.test',
        'aaaaaa..aaaa.test',
        '........aaaa.test',
      ];
      for (const name of [...odd, 'AAAA\r\nX: aaa.test', 'aaa\xe3\x80\x82aaaaaa.test', '*****.wild.test.x']) {
        const bytes = Buffer.from(hello.toString('latin1').replace('aaaaaaaaaaaa.test', name), 'latin1');
        assert.equal(bytes.length, hello.length);
        const socket = await rawTo(served);
        socket.write(bytes);
        const [answer] = (await once(socket, 'data')) as [Buffer];
        // A handshake that goes on (22), or an alert (21).
        assert.ok(
          answer[0] === 22 || answer[0] === 21,
          `${JSON.stringify(name)}: record of type ${answer[0]}`,
        );
        socket.destroy();
      }
      await echoed(served);
    }));

  it('is not asked for by a name that no certificate can have', () =>
    serving({}, async (served) => {
      for (const serverName of ['a\0b.test', 'alpha。test', 'a b', '', '*.wild.test', '\u212aelvin.test']) {
        await refuses(echoed(served, { serverName }), 'invalid_argument', 'SERVER_NAME_INVALID');
      }
    }));
});

/** The first bytes of a client that asks for this name. */
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

describe('who is believed', () => {
  it('a server: trusted, in its time, and for its name or URI', async () => {
    const past = { addresses: ['127.0.0.1'], fromMs: nowMs - 2 * hourMs, untilMs: nowMs - hourMs };
    const future = { addresses: ['127.0.0.1'], fromMs: nowMs + hourMs, untilMs: nowMs + 2 * hourMs };
    const cases = [
      [stranger.issue({ addresses: ['127.0.0.1'] }), 'CERTIFICATE_NOT_TRUSTED'],
      [authority.issue(past), 'CERTIFICATE_EXPIRED'],
      [authority.issue(future), 'CERTIFICATE_NOT_YET_VALID'],
      [authority.issue({ dnsNames: ['other.test'] }), 'NAME_MISMATCH'],
      [authority.issue({ subject: '127.0.0.1' }), 'NAME_MISMATCH'],
      [authority.issue({ dnsNames: ['127.0.0.1\0.evil.test'] }), 'NAME_MISMATCH'],
    ] as const;
    for (const [identity, reason] of cases) {
      await serving({ source: store({ identities: [identity] }) }, async (served) => {
        await refuses(echoed(served), 'unauthenticated', reason);
      });
    }
    await serving({ source: store({ identities: [alice] }) }, async (served) => {
      await echoed(served, { peerUri: 'spiffe://test/alice' });
      const peerUri = 'spiffe://test/alice/x';
      await refuses(echoed(served, { peerUri }), 'unauthenticated', 'NAME_MISMATCH');
    });
  });

  it('nobody, where no trust is given and the authority is not a public one', () =>
    serving({}, async (served) => {
      const source = new TlsStore({ identities: [] });
      await refuses(echoed(served, { source }), 'unauthenticated', 'CERTIFICATE_NOT_TRUSTED');
    }));

  it('a client: by its certificate, whose names the server is told', () =>
    serving({ clients: 'require' }, async (served) => {
      await echoed(served, { source: store({ identities: [alice] }), serverName: 'alpha.test' }).catch(
        () => {},
      );
      const [session] = served.accepted;
      const { certificate } = session ?? {};
      assert.ok(certificate !== undefined);
      assert.deepEqual(certificate.uris, ['spiffe://test/alice']);
      assert.deepEqual([certificate.subject, certificate.verified], ['CN=alice', true]);
      assert.match(certificate.fingerprint, /^[0-9a-f]{64}$/);
      assert.ok(certificate.expiresAtMs > nowMs && certificate.der.byteLength > 100);
      assert.deepEqual([session?.serverName, session?.version], ['alpha.test', 'TLSv1.3']);
    }));

  it('no client that is unknown, expired or without a certificate', () =>
    serving({ clients: 'require' }, async (served) => {
      const expired = authority.issue({ fromMs: nowMs - 2 * hourMs, untilMs: nowMs - hourMs });
      await assert.rejects(echoed(served));
      await assert.rejects(echoed(served, { source: store({ identities: [stranger.issue()] }) }));
      await assert.rejects(echoed(served, { source: store({ identities: [expired] }) }));
      await until(() => served.refused.length === 3, 'all three are counted');
      assert.deepEqual(served.refused, [
        'CERTIFICATE_MISSING',
        'CERTIFICATE_NOT_TRUSTED',
        'CERTIFICATE_EXPIRED',
      ]);
      assert.equal(served.accepted.length, 0);
    }));
});

describe('sessions', () => {
  it('are resumed, but not by a client that has been revoked since', async () => {
    const source = store({ identities: [local], revocations: authority.revoke() });
    await serving({ source, clients: 'require' }, async (served) => {
      const client = store({ identities: [alice] });
      assert.equal((await echoed(served, { source: client })).resumed, false);
      assert.equal((await echoed(served, { source: client })).resumed, true);
      assert.deepEqual(
        served.accepted.map(({ resumed }) => resumed),
        [false, true],
      );
      assert.equal(served.accepted[1]?.certificate?.uris[0], 'spiffe://test/alice');
      source.update({ identities: [local], trust, revocations: authority.revoke(alice) });
      await assert.rejects(echoed(served, { source: client }));
      await until(() => served.refused.length === 1, 'it is counted');
      assert.deepEqual(served.refused, ['CERTIFICATE_REVOKED']);
      const bob = authority.issue({ subject: 'bob' });
      await echoed(served, { source: store({ identities: [bob] }) });
    });
  });

  it('are not resumed by a client that is no longer trusted', async () => {
    const both = `${trust}${stranger.certificate}`;
    const source = store({ identities: [local], trust: both });
    await serving({ source, clients: 'require' }, async (served) => {
      const client = store({ identities: [stranger.issue()] });
      await echoed(served, { source: client });
      assert.equal((await echoed(served, { source: client })).resumed, true);
      source.update({ identities: [local], trust });
      await assert.rejects(echoed(served, { source: client }));
      await until(() => served.refused.length === 1, 'it is counted');
      assert.deepEqual(served.refused, ['CERTIFICATE_NOT_TRUSTED']);
    });
  });

  it('are not resumed for another name', () =>
    serving({}, async (served) => {
      const source = store({});
      await echoed(served, { source, serverName: 'alpha.test' });
      assert.equal((await echoed(served, { source, serverName: 'alpha.test' })).resumed, true);
      assert.equal((await echoed(served, { source, serverName: 'one.wild.test' })).resumed, false);
      const reason = 'NAME_MISMATCH';
      await refuses(echoed(served, { source, serverName: 'other.test' }), 'unauthenticated', reason);
    }));
});

describe('trouble in handshakes', () => {
  it('one that stalls is given up, and there are only so many', () =>
    serving({ handshakeMs: 300, handshakes: 3 }, async (served) => {
      const stalled = await Promise.all(Array.from({ length: 3 }, () => rawTo(served)));
      const closed = stalled.map((socket) => once(socket.resume(), 'close'));
      const fourth = await rawTo(served);
      await once(fourth.resume(), 'close');
      assert.deepEqual(served.refused, ['TOO_MANY_HANDSHAKES']);
      await Promise.all(closed);
      assert.deepEqual(
        served.refused.slice(1),
        Array.from({ length: 3 }, () => 'TLS_HANDSHAKE_TIMEOUT'),
      );
      await echoed(served);
    }));

  it('plaintext, noise and a peer that leaves are refused, and the next is served', () =>
    serving({}, async (served) => {
      for (const bytes of ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\x16\x03\x01\xff\xff', '\0'.repeat(500)]) {
        const socket = await rawTo(served);
        const closed = once(socket.resume(), 'close');
        socket.end(bytes, 'latin1');
        await closed;
      }
      await until(() => served.refused.length === 3, 'all are counted');
      assert.deepEqual(new Set(served.refused), new Set(['TLS_HANDSHAKE_FAILED']));
      await echoed(served);
    }));

  it('a server that says nothing costs a client its time limit, and no more', async () => {
    const silent = createTcpServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    assert.ok(address !== null && typeof address === 'object');
    const options = { timeoutMs: 100, tls: { source: store({}) } };
    const accepted = once(silent, 'connection');
    const connecting = nodeNet.connect({ host: '127.0.0.1', port: address.port }, options);
    await refuses(connecting, 'unavailable', 'CONNECT_TIMEOUT');
    const [socket] = (await accepted) as [Socket];
    await once(socket.resume(), 'close');
    silent.close();
  });

  it('a listener that closes drops handshakes that are not done', () =>
    serving({}, async (served) => {
      const socket = await rawTo(served);
      const closed = once(socket.resume(), 'close');
      const other = await rawTo(served);
      other.destroy();
      await served.listener.close();
      socket.write('\x16\x03\x01');
      await closed;
      assert.equal(served.accepted.length, 0);
    }));
});

describe('material', () => {
  it('that cannot be used is refused, and the old stays', async () => {
    const source = store({ identities: [local] });
    const bad = (material: TlsMaterial, reason: string): void => {
      const isReason = (error: unknown): boolean =>
        error instanceof HeddleError &&
        error.is('invalid_argument', reason) &&
        !/PRIVATE KEY/.test(error.message);
      assert.throws(() => source.update(material), isReason);
      assert.deepEqual(source.current.identities, [local]);
    };
    const { certificates, privateKey } = local;
    bad({ identities: [{ certificates, privateKey: alpha.privateKey }] }, 'KEY_MISMATCH');
    bad({ identities: [{ certificates: 'none', privateKey }] }, 'CERTIFICATE_INVALID');
    bad({ identities: [{ certificates, privateKey: 'none' }] }, 'CERTIFICATE_INVALID');
    bad({ identities: [local], trust: '' }, 'CERTIFICATE_INVALID');
    bad(
      { identities: [local], trust: trust.replace(/.{40}\n-----END/, '\n-----END') },
      'CERTIFICATE_INVALID',
    );
    bad({ identities: [local], revocations: 'none' }, 'CERTIFICATE_INVALID');
  });

  it('a server has an identity, and trust where it asks clients for certificates', async () => {
    const listen = (material: TlsMaterial, clients: 'off' | 'request'): Promise<Listener> =>
      nodeNet.listen(anyPort, () => {}, { tls: { source: new TlsStore(material), clients } });
    await refuses(listen({ identities: [] }, 'off'), 'invalid_argument', 'CERTIFICATE_INVALID');
    await refuses(listen({ identities: [local] }, 'request'), 'invalid_argument', 'TRUST_MISSING');
  });

  it('of a source that goes bad is passed over while the server goes on with the old', async () => {
    let current: TlsMaterial = { identities: [local], trust };
    const source = {
      get current(): TlsMaterial {
        return current;
      },
    };
    await serving({ source }, async (served) => {
      await echoed(served);
      current = { identities: [{ certificates: 'none', privateKey: 'none' }] };
      await echoed(served);
      await echoed(served);
      assert.deepEqual(served.refused, ['CERTIFICATE_INVALID']);
      current = { identities: [authority.issue({ dnsNames: ['fresh.test'] })], trust };
      const fresh = await echoed(served, { serverName: 'fresh.test' });
      assert.deepEqual(fresh.certificate?.dnsNames, ['fresh.test']);
    });
  });

  it('is of no use to the simulated network, which says so', async () => {
    const { net, time } = simulatedRuntime({ seed: 1 });
    const tls = { source: store({ identities: [local] }) };
    const address = { host: 'local', port: 1 };
    await refuses(time.run(net.connect(address, { tls })), 'unimplemented', 'TLS_UNSUPPORTED');
    const listening = time.run(net.listen(address, () => {}, { tls }));
    await refuses(listening, 'unimplemented', 'TLS_UNSUPPORTED');
  });
});

describe('a listener that takes plaintext too', () => {
  it('tells it from TLS by the first byte, and loses none', async () => {
    await serving({ plaintext: true, clients: 'require' }, async (served) => {
      const plain = new ConnectionRecorder(await nodeNet.connect(served.listener.address));
      plain.write(Buffer.from('ping'));
      await plain.until(() => plain.bytes === 4);
      assert.equal(plain.connection.tls, undefined);
      plain.connection.destroy();
      await plain.closed;
      assert.equal(served.accepted.length, 0);
      await echoed(served, { source: store({ identities: [alice] }) });
      assert.equal(served.accepted[0]?.certificate?.verified, true);
      // Who speaks TLS must still prove who it is.
      await assert.rejects(echoed(served));
    });
  });

  it('gives up a connection that says nothing', async () => {
    await serving({ plaintext: true, handshakeMs: 50 }, async (served) => {
      const silent = new ConnectionRecorder(await nodeNet.connect(served.listener.address));
      await silent.ended;
      assert.deepEqual(served.refused, ['TLS_HANDSHAKE_TIMEOUT']);
      silent.connection.destroy();
    });
  });
});

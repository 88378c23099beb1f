// The Workload API as SPIFFE's own client library uses it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { nodeRuntime } from '@heddle/kernel/node';
import { CertificateService, KeptIdentity, KeptJwts, makeRoot } from '@heddle/security/identity';
import { isMissing, obtain } from '../../../../scripts/engines/engine.ts';
import {
  askSpiffeClient,
  spiffeClient,
  startSpiffeClient,
} from '../../../../scripts/engines/spiffe-client.ts';
import { workloadApiServer } from './workload-api-server.ts';

const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const order = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'order' };
const root = (): ReturnType<typeof makeRoot> =>
  makeRoot('cluster.local', runtime.clock.wallMs(), 86_400_000, runtime.random.bytes(16));

describe('the Workload API', { timeout: 600_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-spiffe-'));
  const socket = path.join(folder, 'api.sock');
  const service = new CertificateService({ runtime, trustDomain: 'cluster.local', authority: root() });
  const identity = new KeptIdentity(runtime, async (request) => service.issue(order, request));
  const tokens = new KeptJwts(runtime.clock, async (audience) => service.issueJwt(order, audience));
  const server = workloadApiServer({ runtime, path: socket, identity, tokens });
  let missing: string | undefined;

  before(async () => {
    const found = await obtain(spiffeClient);
    if (isMissing(found)) missing = found.missing;
    await server.start();
  });
  after(async () => {
    identity.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  test('a client of SPIFFE waits for a certificate, gets it, and each that follows, with the roots of the moment', async (t) => {
    if (missing !== undefined) return t.skip(missing);
    const client = await startSpiffeClient(socket);
    try {
      assert.match((await client.next()).problem ?? '', /PermissionDenied/);
      await identity.start();
      let first = await client.next();
      while (first.id === '') first = await client.next();
      assert.equal(first.problem, undefined);
      assert.equal(first.id, 'spiffe://cluster.local/ns/shop/sa/order');
      assert.deepEqual([first.trustDomain, first.roots, first.verified], ['cluster.local', 1, true]);
      const next = root();
      service.introduce(next);
      service.switchTo(next);
      await identity.renewNow();
      const second = await client.next();
      assert.notEqual(second.serial, first.serial);
      assert.deepEqual([second.id, second.roots, second.verified], [first.id, 2, true]);
    } finally {
      client.stop();
    }
  });

  test('a client of SPIFFE gets a token for whom it names, believes it by the keys of the API, and has tokens judged', async (t) => {
    if (missing !== undefined) return t.skip(missing);
    const stock = 'spiffe://cluster.local/ns/shop/sa/stock';
    const mine = 'spiffe://cluster.local/ns/shop/sa/order';
    const given = await askSpiffeClient(socket, stock);
    assert.equal(given.problem, undefined);
    assert.deepEqual([given.id, given.audience, given.validated], [mine, [stock], mine]);
    assert.equal(given.verified, true);
    assert.ok(given.expiryMs > runtime.clock.wallMs() + 60_000, 'it is good for minutes');
    assert.equal(given.keys, service.jwtKeys.length);
    assert.equal((await askSpiffeClient(socket, stock)).token, given.token, 'until half of its life is over');
    const elsewhere = await askSpiffeClient(socket, 'another', given.token);
    assert.deepEqual([elsewhere.verified, elsewhere.validated], [false, '']);
    assert.match(elsewhere.problem ?? '', /InvalidArgument.*not meant for us/);
    const strangers = new CertificateService({ runtime, trustDomain: 'cluster.local', authority: root() });
    const forged = await askSpiffeClient(socket, stock, strangers.issueJwt(order, [stock]).token);
    assert.deepEqual([forged.verified, forged.validated], [false, '']);
    assert.match(forged.problem ?? '', /InvalidArgument.*no key of the trust domain/);
  });

  test('no token is for nobody, or as somebody else', async () => {
    assert.equal(await statusOf(socket, marked, 'FetchJWTSVID'), '3');
    const { audience, spiffeId } = {
      audience: text(1, 'a'),
      spiffeId: text(2, 'spiffe://cluster.local/ns/a/sa/b'),
    };
    assert.equal(await statusOf(socket, marked, 'FetchJWTSVID', audience), '0');
    assert.equal(await statusOf(socket, marked, 'FetchJWTSVID', Buffer.concat([audience, spiffeId])), '7');
  });

  test('a question without the header is refused, as the specification has it', async () => {
    for (const method of ['FetchX509SVID', 'FetchX509Bundles', 'FetchJWTBundles'])
      assert.equal(await statusOf(socket, {}, method), '3', method);
    assert.equal(await statusOf(socket, {}, 'FetchJWTSVID', text(1, 'a')), '3');
    assert.equal(await statusOf(socket, { 'workload.spiffe.io': 'false' }, 'FetchX509SVID'), '3');
  });

  test('its socket is for its user and group; one that another serves is not taken over, one that was left is', async () => {
    assert.equal(statSync(socket).mode & 0o777, 0o660);
    const second = workloadApiServer({ runtime, path: socket, identity, tokens });
    await assert.rejects(second.start(), /another process serves it/);
    const left = path.join(folder, 'left.sock');
    const program = `require('net').createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, 'SIGKILL'))`;
    assert.equal(spawnSync(process.execPath, ['--eval', program]).signal, 'SIGKILL');
    assert.ok(statSync(left).isSocket());
    const third = workloadApiServer({ runtime, path: left, identity, tokens });
    await third.start();
    await third.stop();
    const file = path.join(folder, 'file');
    writeFileSync(file, 'kept');
    await assert.rejects(
      workloadApiServer({ runtime, path: file, identity, tokens }).start(),
      /a file that is no socket/,
    );
  });
});

const marked = { 'workload.spiffe.io': 'true' };

/** A field of a message: a short text. */
function text(field: number, value: string): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2, value.length]), Buffer.from(value)]);
}

/** The gRPC status of a question that is asked by hand. */
function statusOf(
  socket: string,
  headers: Readonly<Record<string, string>>,
  method: string,
  message: Buffer = Buffer.alloc(0),
): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2('http://localhost', { createConnection: () => connect(socket) });
    session.on('error', reject);
    const asked = session.request({
      ':method': 'POST',
      ':path': `/SpiffeWorkloadAPI/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let status: string | undefined;
    const take = (got: IncomingHttpHeaders): void => {
      const found = got['grpc-status'];
      if (typeof found === 'string') status ??= found;
    };
    asked.on('response', take);
    asked.on('trailers', take);
    asked.on('error', reject);
    asked.on('close', () => {
      session.close();
      resolve(status ?? 'none');
    });
    asked.resume();
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(message.length, 1);
    asked.end(Buffer.concat([frame, message]));
  });
}

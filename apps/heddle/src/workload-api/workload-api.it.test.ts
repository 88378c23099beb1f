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
import { CertificateService, KeptIdentity, makeRoot } from '@heddle/security/identity';
import { isMissing, obtain } from '../../../../scripts/engines/engine.ts';
import { spiffeClient, startSpiffeClient } from '../../../../scripts/engines/spiffe-client.ts';
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
  const server = workloadApiServer({ runtime, path: socket, identity });
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
      service.introduce(next.root);
      service.switchTo(next);
      await identity.renewNow();
      const second = await client.next();
      assert.notEqual(second.serial, first.serial);
      assert.deepEqual([second.id, second.roots, second.verified], [first.id, 2, true]);
    } finally {
      client.stop();
    }
  });

  test('a question without the header is refused, as the specification has it', async () => {
    assert.equal(await statusOf(socket, {}), '3');
    assert.equal(await statusOf(socket, { 'workload.spiffe.io': 'false' }), '3');
  });

  test('its socket is for its user and group; one that another serves is not taken over, one that was left is', async () => {
    assert.equal(statSync(socket).mode & 0o777, 0o660);
    const second = workloadApiServer({ runtime, path: socket, identity });
    await assert.rejects(second.start(), /another process serves it/);
    const left = path.join(folder, 'left.sock');
    const program = `require('net').createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, 'SIGKILL'))`;
    assert.equal(spawnSync(process.execPath, ['--eval', program]).signal, 'SIGKILL');
    assert.ok(statSync(left).isSocket());
    const third = workloadApiServer({ runtime, path: left, identity });
    await third.start();
    await third.stop();
    const file = path.join(folder, 'file');
    writeFileSync(file, 'kept');
    await assert.rejects(
      workloadApiServer({ runtime, path: file, identity }).start(),
      /a file that is no socket/,
    );
  });
});

/** The gRPC status of a question that is asked by hand. */
function statusOf(socket: string, headers: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2('http://localhost', { createConnection: () => connect(socket) });
    session.on('error', reject);
    const asked = session.request({
      ':method': 'POST',
      ':path': '/SpiffeWorkloadAPI/FetchX509SVID',
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
    // An empty message: five bytes of frame.
    asked.end(Buffer.alloc(5));
  });
}

// `heddle sidecar` as an injected pod starts it: its health for kubelets, the probes that were led to it, its socket.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { emptyModel } from '@heddle/mesh/model';
import { meshAuthority } from '../../../../scripts/contracts/mesh/scenarios/mesh-identities.ts';
import { startOwnControlPlane } from '../../../../scripts/contracts/mesh/scenarios/own-control-plane.ts';
import { isMissing, obtain } from '../../../../scripts/engines/engine.ts';
import { freePlace } from '../../../../scripts/engines/running.ts';
import { spiffeClient, startSpiffeClient } from '../../../../scripts/engines/spiffe-client.ts';
import { StartedCli } from '../node/started-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-injected-'));
const closing: (() => Promise<unknown> | void)[] = [() => rmSync(folder, { recursive: true })];
after(async () => {
  for (const close of closing.toReversed()) await close();
});

test('an injected sidecar answers kubelets, and gives its identity to the workload', {
  timeout: 600_000,
}, async (t) => {
  const controlPlane = await startOwnControlPlane(meshAuthority());
  closing.push(() => controlPlane.stop());
  controlPlane.apply(emptyModel('cluster.local'));
  let status = 200;
  const application = createServer((_request, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    application.closeAllConnections();
    application.close();
  });
  const { port } = application.address() as AddressInfo;
  const probes = { '/app-health/app/livez': { httpGet: { port, path: '/' }, timeoutSeconds: 1 } };
  const at = await freePlace();
  const health = `${at.host}:${at.port}`;
  const socket = path.join(folder, 'api.sock');
  const place = ['--control-plane', `${controlPlane.host}:${controlPlane.port}`, '--workload', 'shop/order'];
  const cli = new StartedCli(
    [
      'sidecar',
      ...place,
      '--inbound',
      '127.0.0.1',
      '--dns',
      'off',
      '--health',
      health,
      '--workload-api',
      socket,
      '--data',
      path.join(folder, 'data'),
    ],
    { HEDDLE_MESH_TOKEN: controlPlane.token('order'), HEDDLE_APP_PROBES: JSON.stringify(probes) },
  );
  closing.push(() => {
    cli.child.kill('SIGTERM');
    return cli.exited;
  });
  await cli.printed(/\bready\b/);
  const statusOf = async (where: string): Promise<number> => (await fetch(`http://${health}${where}`)).status;
  assert.equal(await statusOf('/healthz/ready'), 200);
  assert.equal(await statusOf('/stats/prometheus'), 200);
  assert.equal(await statusOf('/app-health/app/livez'), 200);
  status = 500;
  assert.equal(await statusOf('/app-health/app/livez'), 503);
  const found = await obtain(spiffeClient);
  if (isMissing(found)) return t.skip(found.missing);
  const client = await startSpiffeClient(socket);
  closing.push(() => client.stop());
  const { id, verified } = await client.next();
  assert.deepEqual([id, verified], ['spiffe://cluster.local/ns/shop/sa/order', true]);
});

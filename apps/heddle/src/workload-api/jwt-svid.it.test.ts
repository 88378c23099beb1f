// Tokens between workloads, with everything as processes: control plane, sidecars, and SPIFFE's own client at their sockets.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { becomes } from '../../../../scripts/contracts/mesh/scenarios/waiting.ts';
import { isMissing, obtain } from '../../../../scripts/engines/engine.ts';
import {
  askSpiffeClient,
  spiffeClient,
  type SpiffeToken,
} from '../../../../scripts/engines/spiffe-client.ts';
import { freePort } from '../../../../scripts/engines/running.ts';
import { StartedMesh } from '../node/started-mesh.ts';

const found = await obtain(spiffeClient);
const missing = isMissing(found) ? found.missing : undefined;
const audience = 'spiffe://cluster.local/ns/shop/sa/stock';
const inbound = '127.0.0.2';
const application = createServer((request, response) =>
  response.end(request.headers.authorization ?? 'no token'),
);
let mesh: StartedMesh;
let port = 0;

const rules = (controlPlane: number): string => `
apiVersion: v1
kind: Service
metadata: { name: stock, namespace: shop }
spec: { selector: { app: stock }, ports: [{ name: http, port: ${port} }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: stock, namespace: shop }
spec: { address: ${inbound}, labels: { app: stock }, serviceAccount: stock }
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: workloads, namespace: shop }
spec:
  jwtRules:
    - issuer: spiffe://cluster.local
      jwksUri: http://127.0.0.1:${controlPlane}/v1/mesh/jwt-keys
      audiences: ["${audience}"]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: stock, namespace: shop }
spec:
  selector: { matchLabels: { app: stock } }
  rules:
    - from: [{ source: { requestPrincipals: ["spiffe://cluster.local/*"] } }]
      when: [{ key: "request.auth.claims[sub]", values: [spiffe://cluster.local/ns/shop/sa/order] }]
`;

const socketOf = (name: string): string => path.join(mesh.folder, `${name}.sock`);

before(async () => {
  if (missing !== undefined) return;
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  port = (application.address() as AddressInfo).port;
  const controlPlane = await freePort();
  mesh = await StartedMesh.start({ rules: rules(controlPlane), port: controlPlane });
  const started = ['order', 'stock', 'web'].map(async (name) => {
    const at = name === 'stock' ? ['--inbound', inbound] : ['--shared'];
    const sidecar = await mesh.sidecar(name, ['--workload-api', socketOf(name), ...at]);
    await sidecar.printed(/\bready\b/);
  });
  await Promise.all(started);
});

after(async () => {
  await mesh?.stop();
  application.closeAllConnections();
  application.close();
});

/** By plaintext: nothing but the token says who calls. */
async function statusOf(token?: string): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return (await fetch(`http://${inbound}:${port}/`, { headers })).status;
}

describe('tokens between workloads', { skip: missing, timeout: 600_000 }, () => {
  const of = (name: string): Promise<SpiffeToken> => askSpiffeClient(socketOf(name), audience);

  test('are given by the one’s socket, and good at the other’s, for whom they name', async () => {
    const given = await of('order');
    assert.equal(given.problem, undefined);
    const judged = await askSpiffeClient(socketOf('stock'), audience, given.token);
    const order = 'spiffe://cluster.local/ns/shop/sa/order';
    assert.deepEqual([judged.problem, judged.verified, judged.validated], [undefined, true, order]);
    const elsewhere = await askSpiffeClient(socketOf('web'), 'web', given.token);
    assert.deepEqual([elsewhere.verified, elsewhere.validated], [false, '']);
  });

  test('are believed by RequestAuthentication and judged by policies, as those of any issuer', async () => {
    const { token } = await of('order');
    // The control plane fetches the keys from itself once it listens.
    await becomes(
      () => statusOf(token),
      (status) => status === 200,
    );
    assert.equal(await statusOf((await of('web')).token), 403);
    assert.equal(await statusOf(), 403);
    const { token: forOthers } = await askSpiffeClient(socketOf('order'), 'web');
    assert.equal(await statusOf(forOthers), 403);
    assert.equal(await statusOf(`${token.slice(0, -4)}AAAA`), 401);
  });
});

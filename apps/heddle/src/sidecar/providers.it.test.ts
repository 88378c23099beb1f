// CUSTOM policies at a sidecar as a process: a real Open Policy Agent decides, then a service as Istio's envoyExtAuthzHttp.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request as plainRequest, type Server } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeRequest, type Svid } from '@heddle/security/identity';
import { answers } from '../../../../scripts/contracts/mesh/scenarios/waiting.ts';
import { isMissing, obtain, type Running } from '../../../../scripts/engines/engine.ts';
import { opa } from '../../../../scripts/engines/opa.ts';
import { StartedMesh } from '../node/started-mesh.ts';

const found = await obtain(opa);
const missing = isMissing(found) ? found.missing : undefined;
const inbound = '127.0.0.2';
const policy = `package shop.authz

default allow := false

allow if {
  input.attributes.request.http.method == "GET"
  input.parsed_path[0] == "orders"
  input.attributes.source.principal == "spiffe://cluster.local/ns/shop/sa/web"
}

allow if {
  input.attributes.request.http.headers["x-customer"] == "7"
  input.parsed_query.size[0] == "small"
}

verdict := {"allowed": input.parsed_path[0] == "verdict", "reason": "by its path"}
`;

const application = createServer((_request, response) => response.end('reached'));
/** What the second provider was asked. */
const asked: IncomingMessage[] = [];
const outside = createServer((request, response) => {
  asked.push(request);
  response.statusCode = request.headers['x-customer'] === '7' ? 200 : 401;
  response.end();
});
let decider: Running;
let mesh: StartedMesh;
let port = 0;

const rules = (provider: string): string => `
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
kind: AuthorizationPolicy
metadata: { name: stock, namespace: shop }
spec:
  action: CUSTOM
  provider: { name: ${provider} }
  rules: [{ to: [{ operation: { notPaths: [/free] } }] }]
`;

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

before(async () => {
  if (missing !== undefined) return;
  port = await listening(application);
  const asking = await listening(outside);
  decider = await opa.start({ policy });
  const at = `opa+http://${decider.address.host}:${decider.address.port}/v1/data/shop/authz`;
  const providers = `opa=${at}/allow,verdict=${at}/verdict,nowhere=${at}/nothing,outside=http://127.0.0.1:${asking}/check`;
  mesh = await StartedMesh.start({ rules: rules('opa') });
  const file = path.join(mesh.folder, 'token');
  writeFileSync(file, `${await mesh.token('stock')}\n`);
  const own = ['--inbound', inbound, '--shared', '--provider', providers, '--token-file', file];
  const sidecar = await mesh.sidecar('stock', own, {});
  await sidecar.printed(/\bready\b/);
});

after(async () => {
  await mesh?.stop();
  await decider?.stop();
  for (const server of [application, outside]) {
    server.closeAllConnections();
    server.close();
  }
});

interface Shown {
  readonly method?: string;
  readonly customer?: string;
  /** Who shows a certificate; without it, plaintext. */
  readonly by?: { readonly cert: string; readonly key: string };
}

function statusOf(path: string, { method = 'GET', customer, by }: Shown = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = customer === undefined ? {} : { 'x-customer': customer };
    const place = { host: inbound, port, path, method, headers, agent: false };
    // Whose certificate the sidecar has is not what this is about.
    const request =
      by === undefined ? plainRequest(place) : tlsRequest({ ...place, ...by, rejectUnauthorized: false });
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject);
    request.end();
  });
}

async function certificateOf(account: string): Promise<NonNullable<Shown['by']>> {
  const { request, privateKey } = makeRequest();
  const answer = await fetch(`${mesh.url}/v1/mesh/certificates`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await mesh.token(account)}` },
    body: JSON.stringify({ request }),
  });
  return { cert: ((await answer.json()) as Svid).certificates, key: privateKey };
}

describe('providers of CUSTOM policies', { skip: missing, timeout: 600_000 }, () => {
  test('Open Policy Agent decides by who calls and what for', async () => {
    const [web, report] = [await certificateOf('web'), await certificateOf('report')];
    assert.equal(await statusOf('/orders/7', { by: web }), 200);
    assert.equal(await statusOf('/orders/7', { by: report }), 403);
    assert.equal(await statusOf('/orders/7'), 403);
    assert.equal(await statusOf('/orders/7', { by: web, method: 'DELETE' }), 403);
    // The path that is judged is the one after `..`.
    assert.equal(await statusOf('/orders/../users', { by: web }), 403);
    assert.equal(await statusOf('/any?size=small', { customer: '7' }), 200);
    assert.equal(await statusOf('/any?size=large', { customer: '7' }), 403);
    assert.equal(await statusOf('/free'), 200);
  });

  test('an object with `allowed` is an answer; a document that is not there allows nothing', async () => {
    mesh.become(rules('verdict'));
    await answers(() => statusOf('/verdict'), 200);
    assert.equal(await statusOf('/orders'), 403);
    mesh.become(rules('nowhere'));
    await answers(() => statusOf('/verdict'), 403);
  });

  test('a service is asked with the request, and says yes by 200 alone', async () => {
    mesh.become(rules('outside'));
    await answers(() => statusOf('/orders?a=1', { customer: '7' }), 200);
    assert.equal(await statusOf('/orders', { customer: '8' }), 403);
    const question = asked.find(({ url }) => url === '/check/orders?a=1');
    assert.deepEqual(
      [question?.method, question?.headers['x-forwarded-host']],
      ['GET', `${inbound}:${port}`],
    );
  });

  test('nobody is let through while nobody decides, nor where the provider is not known', async () => {
    mesh.become(rules('verdict'));
    await answers(() => statusOf('/verdict'), 200);
    mesh.become(rules('stranger'));
    await answers(() => statusOf('/verdict'), 403);
    mesh.become(rules('verdict'));
    await answers(() => statusOf('/verdict'), 200);
    await decider.stop();
    assert.equal(await statusOf('/verdict'), 403);
    assert.equal(await statusOf('/free'), 200);
  });
});

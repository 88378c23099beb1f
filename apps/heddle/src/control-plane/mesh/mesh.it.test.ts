// `heddle control-plane --mesh`, as its users run it: rules from files, proxies by xDS, certificates for who has a token.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { fixedKeys, JwtVerifier, readKeySet } from '@heddle/security';
import { type JwtSvid, makeRequest } from '@heddle/security/identity';
import { StartedCli } from '../../node/started-cli.ts';

const token = 'a-token-for-this-test-alone';
const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const data = mkdtempSync(path.join(tmpdir(), 'heddle-mesh-data-'));
const rules = mkdtempSync(path.join(tmpdir(), 'heddle-mesh-rules-'));
const file = path.join(rules, 'mesh.yaml');
const patienceMs = 60_000;

let cli: StartedCli;
let url = '';

const serviceEntry = (address: string): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: order, namespace: shop }
spec:
  hosts: [order.shop.example]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: 8080, name: http, protocol: HTTP }]
  endpoints: [{ address: ${address} }]
`;

before(async () => {
  writeFileSync(file, serviceEntry('10.0.0.1'));
  cli = new StartedCli(['control-plane', '--port', '0', '--data', data, '--mesh', rules], {
    HEDDLE_REGISTRY_TOKEN: token,
  });
  const [, found = ''] = await cli.printed(/(http:\/\/127\.0\.0\.1:\d+)/);
  url = found;
});

after(async () => {
  cli.child.kill('SIGTERM');
  await cli.exited;
  for (const folder of [data, rules]) rmSync(folder, { recursive: true, force: true });
});

interface View {
  readonly rules: {
    readonly version: number;
    readonly objects: number;
    readonly refused?: { readonly findings: readonly { readonly code: string; readonly file: string }[] };
  };
}

async function view(): Promise<View> {
  const answer = await fetch(`${url}/v1/mesh`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200);
  return (await answer.json()) as View;
}

async function becomes(isSo: (now: View) => boolean): Promise<View> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const now = await view();
    if (isSo(now)) return now;
    if (performance.now() > giveUpAt) assert.fail(`it is ${JSON.stringify(now)}`);
    await sleep(runtime.timers, 20);
  }
}

function post(where: string, bearer: string, body: object): Promise<Response> {
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
  return fetch(`${url}${where}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

describe('the rules of a mesh', () => {
  test('are shown to operators alone', async () => {
    assert.equal((await fetch(`${url}/v1/mesh`)).status, 401);
    assert.equal((await view()).rules.version, 1);
  });

  test('change with their files; bad ones are refused, and the last good ones stay', async () => {
    writeFileSync(file, serviceEntry('10.0.0.2'));
    await becomes((now) => now.rules.version === 2);
    writeFileSync(file, serviceEntry('10.0.0.3').replace('resolution', 'resolutoin'));
    const refused = await becomes((now) => now.rules.refused !== undefined);
    assert.equal(refused.rules.version, 2);
    assert.ok(refused.rules.refused?.findings.some((each) => each.file === file));
    writeFileSync(file, serviceEntry('10.0.0.4'));
    const good = await becomes((now) => now.rules.version === 3);
    assert.equal(good.rules.refused, undefined);
  });
});

describe('certificates', () => {
  test('are given to who has a bootstrap token, for the workload that it names', async () => {
    const spiffeId = 'spiffe://cluster.local/ns/shop/sa/order';
    const asked = await post('/v1/mesh/tokens', token, { spiffeId });
    assert.equal(asked.status, 200);
    const { token: bootstrap } = (await asked.json()) as { readonly token: string };
    const { request } = makeRequest();
    const given = await post('/v1/mesh/certificates', bootstrap, { request });
    assert.equal(given.status, 200);
    const { certificates, trust } = (await given.json()) as { certificates: string; trust: string };
    const certificate = new X509Certificate(certificates);
    assert.equal(certificate.subjectAltName, `URI:${spiffeId}`);
    assert.ok(certificate.verify(new X509Certificate(trust).publicKey));
    assert.deepEqual(await (await fetch(`${url}/v1/mesh/roots`)).json(), { trust });
  });

  test('are given to nobody else', async () => {
    const { request } = makeRequest();
    assert.equal((await post('/v1/mesh/certificates', 'x.1.y', { request })).status, 401);
    assert.equal((await post('/v1/mesh/certificates', token, { request })).status, 401);
    const other = await post('/v1/mesh/tokens', 'another', { spiffeId: 'spiffe://cluster.local/ns/a/sa/b' });
    assert.equal(other.status, 401);
  });
});

describe('tokens for other services', () => {
  const spiffeId = 'spiffe://cluster.local/ns/shop/sa/order';

  test('are given to the workload that asks, for whom it names, and verify by the keys that everybody gets', async () => {
    const asked = await post('/v1/mesh/tokens', token, { spiffeId });
    const { token: bootstrap } = (await asked.json()) as { readonly token: string };
    const given = await post('/v1/mesh/jwts', bootstrap, { audience: ['stock'] });
    assert.equal(given.status, 200);
    const svid = (await given.json()) as JwtSvid;
    assert.equal(svid.spiffeId, spiffeId);
    const answer = await fetch(`${url}/v1/mesh/jwt-keys`);
    assert.equal(answer.status, 200);
    const text = await answer.text();
    assert.ok(!text.includes('"d"'), 'the private key is not published');
    // As a gateway would that knows the issuer and the address of its keys.
    const issuer = {
      issuer: 'spiffe://cluster.local',
      audiences: ['stock'],
      algorithms: ['ES256'] as const,
      keys: fixedKeys(readKeySet(JSON.parse(text))),
    };
    const { subject } = await new JwtVerifier([issuer], runtime.clock).verify(svid.token);
    assert.equal(subject, spiffeId);
  });

  test('are given to nobody else, and one of them gets no other', async () => {
    assert.equal((await post('/v1/mesh/jwts', 'x.1.y', { audience: ['stock'] })).status, 401);
    assert.equal((await post('/v1/mesh/jwts', token, { audience: ['stock'] })).status, 401);
    const asked = await post('/v1/mesh/tokens', token, { spiffeId });
    const { token: bootstrap } = (await asked.json()) as { readonly token: string };
    for (const body of [{}, { audience: [] }, { audience: 'stock' }, { audience: ['a'], lifeMs: 1e9 }])
      assert.equal((await post('/v1/mesh/jwts', bootstrap, body)).status, 400, JSON.stringify(body));
    const given = await post('/v1/mesh/jwts', bootstrap, { audience: ['heddle-mesh'] });
    const { token: jwt } = (await given.json()) as JwtSvid;
    assert.equal((await post('/v1/mesh/jwts', jwt, { audience: ['stock'] })).status, 401);
    const { request } = makeRequest();
    assert.equal((await post('/v1/mesh/certificates', jwt, { request })).status, 401);
  });
});

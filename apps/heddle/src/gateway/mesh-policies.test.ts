import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { Gateway, readGatewayDocuments } from '@heddle/proxy';
import { MetricRegistry } from '@heddle/telemetry';
import { emptyBody, Fields, peer } from '@heddle/wire';
import { checkPolicies, MeshPolicies } from './mesh-policies.ts';

const head = (kind: string, name: string, group = 'security.istio.io'): string =>
  `apiVersion: ${group}/v1\nkind: ${kind}\nmetadata: { name: ${name}, namespace: shop }\n`;
const routes = `${head('VirtualService', 'all', 'networking.istio.io')}spec:
  hosts: ["*"]
  http: [{ directResponse: { status: 200 } }]
---
`;
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256' }] });

function tokenOf(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const said = `${part({ alg: 'ES256', kid: 'one', typ: 'JWT' })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(said), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${said}.${signature.toString('base64url')}`;
}

/** Gives the status of a request to a gateway with these policies. */
function gatewayWith(
  policies: string,
): (method: string, path: string, from?: string, token?: string) => Promise<number> {
  const time = new VirtualTime();
  const { clock, timers } = time;
  const runtime = { clock, timers, random: seededRandom(7), log: () => {} } as unknown as Runtime;
  const guards = new MeshPolicies(runtime);
  const gateway = new Gateway({
    config: readGatewayDocuments([{ source: 'x', content: routes + policies }], checkPolicies),
    runtime,
    metrics: new MetricRegistry(),
    guard: (written, config) => guards.layer(written, config),
  });
  return async (method, path, from = '10.0.0.1', token) => {
    const fields = token === undefined ? new Fields() : Fields.of({ authorization: `Bearer ${token}` });
    const call = Call.root(runtime).set(peer, { address: { host: from, port: 1 } });
    const req = { method, scheme: 'http' as const, authority: 'a', path, fields, body: emptyBody };
    const result = await time.run(settle(gateway.service, req, call));
    assert.ok(result.ok);
    return result.value.status;
  };
}

const open = `${head('AuthorizationPolicy', 'open')}spec:
  selector: { matchLabels: { app: whatever } }
  rules: [{ to: [{ operation: { methods: [GET], paths: ["/shop/*"] } }] }]
---
`;
const denied = `${head('AuthorizationPolicy', 'denied')}spec:
  action: DENY
  rules: [{ from: [{ source: { remoteIpBlocks: [10.9.0.0/16] } }] }]
---
`;

test('AuthorizationPolicies say who may come, for every route and whatever the spelling', async () => {
  const status = gatewayWith(open + denied);
  assert.equal(await status('GET', '/shop/x'), 200);
  assert.equal(await status('POST', '/shop/x'), 403);
  assert.equal(await status('GET', '/shop/../admin'), 403);
  assert.equal(await status('GET', '/admin'), 403);
  assert.equal(await status('GET', '/shop/x', '10.9.1.1'), 403);
});

test('RequestAuthentications verify tokens, and policies ask what they say', async () => {
  const policies = `${head('RequestAuthentication', 'tokens')}spec:
  jwtRules: [{ issuer: "https://id.example", jwks: '${jwks}' }]
---
${head('AuthorizationPolicy', 'ann')}spec:
  rules: [{ from: [{ source: { requestPrincipals: ["https://id.example/ann"] } }] }]
`;
  const status = gatewayWith(policies);
  const claims = { iss: 'https://id.example', sub: 'ann', exp: 4_000_000_000 };
  assert.equal(await status('GET', '/', undefined, tokenOf(claims)), 200);
  assert.equal(await status('GET', '/', undefined, tokenOf({ ...claims, sub: 'ben' })), 403);
  assert.equal(await status('GET', '/'), 403);
  assert.equal(await status('GET', '/', undefined, `${tokenOf(claims).slice(0, -4)}AAAA`), 401);
});

test('what is wrong with a policy is told with its place, and nothing is served without them', () => {
  const bad = `${routes}${head('AuthorizationPolicy', 'bad')}spec:\n  rulez: []\n`;
  const problems = (content: string, check: typeof checkPolicies | undefined): string => {
    try {
      readGatewayDocuments([{ source: 'x.yaml', content }], check);
    } catch (thrown) {
      return HeddleError.from(thrown).message;
    }
    return assert.fail('it was taken');
  };
  assert.match(problems(bad, checkPolicies), /x\.yaml:12:3: AuthorizationPolicy shop\/bad spec.*rulez/);
  const custom = `${routes}${head('AuthorizationPolicy', 'ask')}spec:\n  action: CUSTOM\n  provider: { name: x }\n  rules: [{}]\n`;
  assert.match(problems(custom, checkPolicies), /x\.yaml:12:\d+.*CUSTOM has nobody to ask/);
  assert.match(problems(routes + open, undefined), /policies are not read here/);
});

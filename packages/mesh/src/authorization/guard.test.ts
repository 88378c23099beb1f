import assert from 'node:assert/strict';
import test from 'node:test';
import { Call, HeddleError } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { fixedKeys } from '@heddle/security';
import { Fields, type HttpRequest, type Peer, peer, wholeBody } from '@heddle/wire';
import { loadResources } from '../resources/index.ts';
import { policiesFor } from './applying.ts';
import type { Verdict } from './authorization.ts';
import { guard, type GuardOptions } from './guard.ts';

const nothing = wholeBody(new Uint8Array());
const workload = { namespace: 'foo', labels: {} };

const rules = (spec: string): GuardOptions['policies'] =>
  policiesFor(
    loadResources([
      {
        file: 'a.yaml',
        text: `{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: p, namespace: foo}, spec: ${spec}}`,
      },
    ]).resources,
    workload,
  );

async function outcome(
  options: Partial<GuardOptions>,
  request: Partial<HttpRequest> = {},
  from?: Peer,
): Promise<string> {
  const call = Call.root(bareRuntime(new VirtualTime()));
  if (from !== undefined) call.set(peer, from);
  const service = guard({
    policies: [],
    jwt: [],
    mtls: 'permissive',
    port: 80,
    keysOf: () => fixedKeys([]),
    ...options,
  })(async () => ({ status: 200, fields: new Fields(), body: nothing }));
  const whole = {
    method: 'GET',
    scheme: 'http',
    authority: 'a',
    path: '/',
    fields: new Fields(),
    body: nothing,
  } as const;
  try {
    return String((await service({ ...whole, ...request }, call)).status);
  } catch (thrown) {
    return HeddleError.from(thrown).reason;
  }
}

const shown = (verified: boolean, ...uris: readonly string[]): Peer => ({
  address: { host: '10.0.0.1', port: 1 },
  tls: {
    version: 'TLSv1.3',
    alpn: undefined,
    serverName: undefined,
    resumed: false,
    certificate: {
      verified,
      problem: undefined,
      fingerprint: '',
      subject: '',
      dnsNames: [],
      uris,
      expiresAtMs: 0,
      der: new Uint8Array(),
    },
  },
});
const sleep = 'spiffe://cluster.local/ns/default/sa/sleep';

test('a path is normalised before it is judged', async () => {
  const policies = rules('{action: DENY, rules: [{to: [{operation: {paths: ["/admin*"]}}]}]}');
  for (const path of [
    '/admin',
    '/x/../admin',
    '/./admin',
    '/x/%2e%2E/admin',
    '\\admin',
    '/a/b/../../admin?x=/..',
  ]) {
    assert.equal(await outcome({ policies }, { path }), 'RBAC_DENIED', path);
  }
  for (const path of ['/', '/admi', '/admin/..', '/admin/../x', '/?x=/admin']) {
    assert.equal(await outcome({ policies }, { path }), '200', path);
  }
});

test('an identity counts only from a verified certificate with one SPIFFE ID', async () => {
  const policies = rules('{rules: [{from: [{source: {principals: ["*/ns/default/sa/sleep"]}}]}]}');
  assert.equal(await outcome({ policies }, {}, shown(true, sleep)), '200');
  assert.equal(await outcome({ policies }, {}, shown(false, sleep)), 'RBAC_DENIED');
  assert.equal(await outcome({ policies }, {}, shown(true, sleep, 'spiffe://other/x')), 'RBAC_DENIED');
  assert.equal(
    await outcome({ policies }, {}, shown(true, 'https://cluster.local/ns/default/sa/sleep')),
    'RBAC_DENIED',
  );
  assert.equal(await outcome({ policies }), 'RBAC_DENIED');
  const fields = Fields.of({ 'x-forwarded-client-cert': `URI=${sleep}` });
  assert.equal(await outcome({ policies }, { fields }), 'RBAC_DENIED');
});

test('strict takes no plaintext', async () => {
  assert.equal(await outcome({ mtls: 'strict' }), 'MTLS_REQUIRED');
  assert.equal(await outcome({ mtls: 'strict' }, {}, shown(true, sleep)), '200');
  assert.equal(await outcome({ mtls: 'strict' }, {}, shown(false, sleep)), 'MTLS_REQUIRED');
});

test('a provider that fails has said no', async () => {
  const policies = rules(
    '{action: CUSTOM, provider: {name: opa}, rules: [{to: [{operation: {paths: ["/x"]}}]}]}',
  );
  const asked: string[] = [];
  const ask = async (provider: string): Promise<boolean> => {
    asked.push(provider);
    throw new Error('down');
  };
  assert.equal(await outcome({ policies, ask }, { path: '/x' }), 'RBAC_DENIED');
  assert.equal(await outcome({ policies, ask }, { path: '/y' }), '200');
  assert.equal(await outcome({ policies }, { path: '/x' }), 'RBAC_DENIED');
  assert.deepEqual(asked, ['opa']);
});

test('verdicts are heard of, also of those that pass', async () => {
  const heard: Verdict[] = [];
  const policies = rules('{action: AUDIT, rules: [{}]}');
  await outcome({ policies, onVerdict: (verdict) => heard.push(verdict) });
  assert.deepEqual(
    heard.map(({ allowed, audited }) => [allowed, audited]),
    [[true, ['foo/p']]],
  );
});

test('a header sent twice is one text, as in Envoy', async () => {
  const policies = rules('{rules: [{when: [{key: "request.headers[x-team]", values: ["a,b"]}]}]}');
  const fields = new Fields(['x-team', 'a', 'x-team', 'b']);
  assert.equal(await outcome({ policies }, { fields }), '200');
});

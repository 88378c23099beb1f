import assert from 'node:assert/strict';
import test from 'node:test';
import type { MeshPolicy, PolicyRule } from '../model/index.ts';
import { authorization } from './authorization.ts';
import type { AuthorizationRequest } from './request.ts';

const request: AuthorizationRequest = {
  principal: 'cluster.local/ns/default/sa/sleep',
  sourceIp: '10.0.0.1',
  remoteIp: '10.0.0.1',
  destinationIp: '10.0.0.2',
  destinationPort: 80,
  sni: '',
  http: { method: 'GET', path: '/', host: 'a', header: () => undefined },
};
const always: PolicyRule = { from: [], to: [], when: [] };
const never: PolicyRule = { from: [], to: [{ methods: { values: ['X'], notValues: [] } }], when: [] };
const policy = (
  name: string,
  action: MeshPolicy['action'],
  rule = always,
  more: Partial<MeshPolicy> = {},
): MeshPolicy => ({
  name,
  action,
  rules: [rule],
  ...more,
});

test('a verdict names the policy that decided', () => {
  const of = (...policies: readonly MeshPolicy[]): string => {
    const { allowed, reason, policy: name } = authorization(policies).decide(request);
    return `${allowed} ${reason} ${name}`;
  };
  assert.equal(of(), 'true nothing-applies ');
  assert.equal(of(policy('n/a', 'allow')), 'true allowed n/a');
  assert.equal(of(policy('n/a', 'allow', never)), 'false not-allowed ');
  assert.equal(of(policy('n/d', 'deny'), policy('n/a', 'allow')), 'false denied n/d');
  assert.equal(of(policy('n/c', 'custom'), policy('n/d', 'deny')), 'false custom-denied n/c');
});

test('AUDIT policies that match are named whatever the verdict', () => {
  const { decide } = authorization([
    policy('n/1', 'audit'),
    policy('n/2', 'audit', never),
    policy('n/3', 'deny'),
  ]);
  assert.deepEqual(decide(request).audited, ['n/1']);
});

test('a dry run says what it would be', () => {
  const deny = policy('n/d', 'deny', always, { dryRun: true });
  const verdict = authorization([deny]).decide(request);
  assert.equal(verdict.allowed, true);
  assert.deepEqual(verdict.dryRun, { allowed: false, reason: 'denied', policy: 'n/d' });
  assert.equal(authorization([policy('n/d', 'deny')]).decide(request).dryRun, undefined);
});

test('a provider is asked once, and only about what its policies match', () => {
  const { toAsk } = authorization([
    policy('n/1', 'custom', always, { provider: 'opa' }),
    policy('n/2', 'custom', always, { provider: 'opa' }),
    policy('n/3', 'custom', never, { provider: 'other' }),
  ]);
  assert.deepEqual(toAsk(request), ['opa']);
});

test('a provider that has not answered has said no', () => {
  const { decide } = authorization([policy('n/1', 'custom', always, { provider: 'opa' })]);
  assert.equal(decide(request).allowed, false);
  assert.equal(decide(request, new Map([['opa', true]])).allowed, true);
  assert.equal(decide(request, new Map([['other', true]])).allowed, false);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { acceptResources } from './accept.ts';

test('resources with an error are refused as a whole, with every error', () => {
  const text = `apiVersion: v1
kind: Service
metadata: {name: good}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: bad}
spec: {egress: [{}], ingres: []}
`;
  assert.throws(
    () => acceptResources([{ file: 'mesh.yaml', text }]),
    (error) =>
      error instanceof HeddleError &&
      error.is('invalid_argument', 'BAD_RESOURCES') &&
      error.details.length === 2 &&
      /^mesh\.yaml:8: spec\.egress\[0\]: .*; mesh\.yaml:8: spec\.ingres: /.test(error.message),
  );
});

test('old forms are no reason to refuse, but for those that no version of Istio takes', () => {
  const rule = (policy: string): string =>
    `{apiVersion: networking.istio.io/v1beta1, kind: DestinationRule, metadata: {name: a}, spec: {host: a, trafficPolicy: ${policy}}}`;
  const accept = (text: string): number => acceptResources([{ file: 'a.yaml', text }]).length;
  assert.equal(accept(rule('{loadBalancer: {simple: LEAST_CONN}}')), 1);
  assert.throws(() => accept(rule('{circuitBreaker: {interval: 1s}}')), /circuitBreaker/);
});

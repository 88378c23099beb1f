import assert from 'node:assert/strict';
import test from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { acceptResources, type Resource } from '../resources/index.ts';
import { readRecording } from './recorded-call.ts';
import { rehearse } from './rehearse.ts';

const shop = `
apiVersion: v1
kind: Service
metadata: {name: order, namespace: shop}
spec: {selector: {app: order}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: order, namespace: shop}
spec: {template: {metadata: {labels: {app: order}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web, beta: "yes"}}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: order, namespace: shop}
spec: {host: order, subsets: [{name: v2, labels: {version: v2}}]}
---
`;
const route = (http: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: order, namespace: shop}\nspec: {hosts: [order], http: ${http}}\n---\n`;
const policy = (spec: string): string =>
  `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: order, namespace: shop}\nspec: ${spec}\n---\n`;
const mesh = (text: string): readonly Resource[] =>
  acceptResources([{ file: 'mesh.yaml', text: shop + text }]);
const calls = readRecording(
  [
    '{"from":"shop/web","principal":"cluster.local/ns/shop/sa/web","host":"order","path":"/cart","count":90}',
    '{"from":"shop/web","principal":"cluster.local/ns/shop/sa/web","host":"order:80","path":"/cart?x=1","headers":{"x-user":"jason"},"count":9}',
    '',
    '{"host":"order.shop.svc.cluster.local","method":"DELETE","path":"/cart/1"}',
  ].join('\n'),
);
const told = (before: string, after: string): readonly string[] =>
  rehearse(mesh(before), mesh(after), calls).differences.map(
    ({ from, host, what, before: was, after: will, calls: count }) =>
      `${count} ${from} > ${host}: ${what} ${was} -> ${will}`,
  );

const straight = 'order.shop.svc.cluster.local:80';

test('nothing changes, nothing is told', () => {
  assert.deepEqual(told('', ''), []);
  assert.deepEqual(told('', route('[{route: [{destination: {host: order}}]}]')), []);
});

test('calls that would go elsewhere, by who makes them', () => {
  const after = route(
    '[{match: [{headers: {x-user: {exact: jason}}}], route: [{destination: {host: order, subset: v2}}]}, {match: [{sourceLabels: {beta: "yes"}}], route: [{destination: {host: order}, weight: 75}, {destination: {host: order, subset: v2}, weight: 25}]}, {redirect: {uri: /}}]',
  );
  assert.deepEqual(told('', after), [
    `90 shop/web > order: destination ${straight} -> ${straight} 75 %, ${straight} (v2) 25 %`,
    `9 shop/web > order:80: destination ${straight} -> ${straight} (v2)`,
    `1  > order.shop.svc.cluster.local: destination ${straight} -> redirect 301`,
  ]);
});

test('calls that would be judged otherwise, with the policy that does it', () => {
  const after = policy('{action: DENY, rules: [{to: [{operation: {methods: [DELETE]}}]}]}');
  assert.deepEqual(told('', after), [
    '1  > order.shop.svc.cluster.local: verdict allowed -> refused: shop/order',
  ]);
  assert.deepEqual(told(after, ''), [
    '1  > order.shop.svc.cluster.local: verdict refused: shop/order -> allowed',
  ]);
});

test('strict mTLS refuses those that have called by plaintext', () => {
  const strict =
    'apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: default, namespace: shop}\nspec: {mtls: {mode: STRICT}}\n';
  assert.deepEqual(told('', strict), [
    '1  > order.shop.svc.cluster.local: verdict allowed -> refused: plaintext',
  ]);
  const { calls: total, changed } = rehearse(mesh(''), mesh(strict), calls);
  assert.deepEqual([total, changed], [100, 1]);
});

test('a recording that is wrong is refused with every line', () => {
  assert.throws(
    () => readRecording('{"host":"a"}\nnot json\n{"hots":"a"}\n{"host":"a","count":"1"}\n{}'),
    (error) =>
      error instanceof HeddleError &&
      error.reason === 'BAD_RECORDING' &&
      /line 2: .*; line 3: unknown key "hots".*; line 4: expected count to be a number; line 5: the key "host"/.test(
        error.message,
      ),
  );
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { parseAllDocuments } from 'yaml';
import type { MeshModel } from '../model/index.ts';
import { acceptResources } from '../resources/index.ts';
import { translate } from '../translate/index.ts';
import { linkerd } from './linkerd.ts';
import { networkPolicies, permittedCalls } from './network-policy.ts';

const shop = (name: string, account = name): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec: {template: {metadata: {labels: {app: ${name}}}, spec: {serviceAccountName: ${account}}}}
---`;
const model = (text: string): MeshModel => translate(acceptResources([{ file: 'mesh.yaml', text }]));
const read = (yaml: string): unknown[] => parseAllDocuments(yaml).map((each) => each.toJS() as unknown);

test('a NetworkPolicy lets in whom the service graph names, on the port of the workload', () => {
  const made = networkPolicies(model(shop('web') + shop('order')), [
    { from: 'shop/web', to: 'shop/order', port: 8080 },
    { from: 'shop/gone', to: 'shop/order', port: 8080 },
  ]);
  const [order, web] = read(made.yaml);
  assert.deepEqual(order, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'heddle-order', namespace: 'shop' },
    spec: {
      podSelector: { matchLabels: { app: 'order' } },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
              podSelector: { matchLabels: { app: 'web' } },
            },
          ],
          ports: [{ protocol: 'TCP', port: 8080 }],
        },
      ],
    },
  });
  assert.deepEqual((web as { spec: { ingress: unknown } }).spec.ingress, []);
  assert.deepEqual(made.notes, ['shop/gone calls, but is no workload of the mesh: it is not let in']);
});

test('without recorded calls the graph is what the policies permit', () => {
  const made = model(
    `${shop('web')}${shop('order')}${shop('stock')}
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: order, namespace: shop}
spec: {selector: {matchLabels: {app: order}}, rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/web"]}}], to: [{operation: {ports: ["8080"]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: stock, namespace: shop}
spec: {selector: {matchLabels: {app: stock}}, rules: [{to: [{operation: {ports: ["9999"]}}]}]}
`,
  );
  const calls = permittedCalls(made).map(({ from, to, port }) => `${from} ${to} ${port}`);
  assert.deepEqual(calls, [
    'shop/order shop/web 8080',
    'shop/stock shop/web 8080',
    'shop/web shop/order 8080',
  ]);
});

test('shares to subsets become Services and an HTTPRoute for Linkerd; what it cannot say is told', () => {
  const made = model(
    `${shop('web')}
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: shop}
spec: {host: web, subsets: [{name: v2, labels: {version: v2}}], trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web]
  http:
    - match: [{uri: {prefix: /api}, headers: {x: {exact: "1"}}}]
      route: [{destination: {host: web}, weight: 90}, {destination: {host: web, subset: v2}, weight: 10}]
      timeout: 2s
      retries: {attempts: 2, retryOn: "5xx"}
      fault: {abort: {httpStatus: 500, percentage: {value: 1}}}
`,
  );
  const { yaml, notes } = linkerd(made, () => ({ app: 'web', version: 'v2' }));
  const [route, profile, service] = read(yaml) as [
    Record<string, never>,
    Record<string, never>,
    Record<string, never>,
  ];
  assert.deepEqual(route['spec'], {
    parentRefs: [{ group: '', kind: 'Service', name: 'web', port: 80 }],
    rules: [
      {
        matches: [
          {
            path: { type: 'PathPrefix', value: '/api' },
            headers: [{ name: 'x', type: 'Exact', value: '1' }],
          },
        ],
        backendRefs: [
          { name: 'web', namespace: 'shop', port: 80, weight: 90 },
          { name: 'web-v2', namespace: 'shop', port: 80, weight: 10 },
        ],
        timeouts: { request: '2000ms' },
      },
    ],
  });
  assert.deepEqual(profile['metadata'], { name: 'web.shop.svc.cluster.local', namespace: 'shop' });
  assert.deepEqual(service['spec'], {
    selector: { app: 'web', version: 'v2' },
    ports: [{ port: 80, protocol: 'TCP' }],
  });
  assert.equal(notes.length, 2);
  assert.match(notes.join(), /Linkerd has no faults/);
});

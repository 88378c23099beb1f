import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadResources } from '../resources/index.ts';
import type { MeshInstance } from './instance.ts';
import { MeshTranslation } from './mesh-translation.ts';

const rules = `
apiVersion: v1
kind: Service
metadata: {name: order, namespace: shop}
spec: {selector: {app: order}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: stock, namespace: shop}
spec: {selector: {app: stock}, ports: [{name: grpc, port: 90}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: order, namespace: shop}
spec: {host: order, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
`;

const running = (
  app: string,
  address: string,
  changes: Partial<MeshInstance> & { readonly version?: string } = {},
): MeshInstance => {
  const { version = 'v1', ...others } = changes;
  return {
    namespace: 'shop',
    workload: app,
    labels: { app, version },
    address,
    ports: {},
    serviceAccount: app,
    locality: { region: '', zone: '', subZone: '' },
    weight: 1,
    health: 'healthy',
    meshTls: false,
    ...others,
  };
};

const registered = (service: string, address: string, at: number): MeshInstance =>
  running(service, address, {
    labels: { app: service, 'heddle.dev/service': service },
    registered: { service, protocol: 'http', port: 80, at },
  });

function started(text = rules): MeshTranslation {
  const translation = new MeshTranslation();
  translation.rules(loadResources([{ file: 'mesh.yaml', text }]).resources);
  return translation;
}

const cluster = (host: string, subset = '', port = 80): string =>
  `outbound|${port}|${subset}|${host}.shop.svc.cluster.local`;

const addresses = ({ model }: MeshTranslation, name: string): unknown =>
  model.assignments.get(name)?.endpoints.map(({ address, port }) => `${address}:${port}`);

describe('what runs', () => {
  test('is in the assignments of the services that select it, and in no other', () => {
    const translation = started();
    translation.instances([
      ['a', running('order', '10.0.0.1')],
      ['b', running('order', '10.0.0.2', { version: 'v2' })],
    ]);
    assert.deepEqual(addresses(translation, cluster('order')), ['10.0.0.1:8080', '10.0.0.2:8080']);
    assert.deepEqual(addresses(translation, cluster('order', 'v2')), ['10.0.0.2:8080']);
    assert.deepEqual(addresses(translation, cluster('stock', '', 90)), []);
    translation.instances([['a', undefined]]);
    assert.deepEqual(addresses(translation, cluster('order')), ['10.0.0.2:8080']);
    assert.deepEqual(addresses(translation, cluster('order', 'v1')), []);
  });

  test('changes nothing but the assignments that it is in: all else is the very same object', () => {
    const translation = started();
    const before = translation.instances([
      ['a', running('order', '10.0.0.1')],
      ['b', running('stock', '10.0.0.9')],
    ]);
    const after = translation.instances([['a', running('order', '10.0.0.3')]]);
    assert.notEqual(after, before);
    for (const part of ['services', 'clusters', 'workloads'] as const)
      assert.equal(after[part], before[part], part);
    const changed = [...after.assignments].filter(([name, each]) => before.assignments.get(name) !== each);
    assert.deepEqual(
      changed.map(([name]) => name),
      [cluster('order'), cluster('order', 'v1')],
    );
    assert.equal(translation.instances([['a', running('order', '10.0.0.3')]]), after);
  });

  test('keeps its place among the others when it changes', () => {
    const translation = started();
    translation.instances([
      ['a', running('order', '10.0.0.1')],
      ['b', running('order', '10.0.0.2')],
    ]);
    translation.instances([['a', running('order', '10.0.0.1', { health: 'draining' })]]);
    const [first] = translation.model.assignments.get(cluster('order'))?.endpoints ?? [];
    assert.equal(first?.health, 'draining');
    // Other labels: it is somewhere else now.
    translation.instances([['a', running('stock', '10.0.0.1')]]);
    assert.deepEqual(addresses(translation, cluster('order')), ['10.0.0.2:8080']);
    assert.deepEqual(addresses(translation, cluster('stock', '', 90)), ['10.0.0.1:90']);
  });

  test('is there after other rules too, and is what a whole translation makes of it', () => {
    const translation = started('');
    translation.instances([['a', running('order', '10.0.0.1')]]);
    assert.equal(translation.model.assignments.size, 0);
    translation.rules(loadResources([{ file: 'mesh.yaml', text: rules }]).resources);
    assert.deepEqual(addresses(translation, cluster('order')), ['10.0.0.1:8080']);
    assert.equal(translation.model.workloads.get('shop/order')?.serviceAccount, 'order');
  });
});

describe('what a registry knows', () => {
  test('is a service without a resource, at the port that it asks for, as long as there are instances', () => {
    const translation = started('');
    translation.instances([
      ['a', registered('cart', '10.0.0.1', 41_001)],
      ['b', registered('cart', '10.0.0.2', 41_002)],
    ]);
    assert.deepEqual(addresses(translation, cluster('cart')), ['10.0.0.1:41001', '10.0.0.2:41002']);
    assert.deepEqual(
      translation.model.services.map(({ host, port, protocol }) => `${host}:${port} ${protocol}`),
      ['cart.shop.svc.cluster.local:80 http'],
    );
    translation.instances([['a', undefined]]);
    assert.equal(translation.model.services.length, 1);
    translation.instances([['b', undefined]]);
    assert.equal(translation.model.services.length, 0);
  });

  test('is found by a Service with its labels, at the port where the instance listens', () => {
    const translation = started();
    translation.instances([['a', registered('order', '10.0.0.1', 41_001)]]);
    assert.deepEqual(addresses(translation, cluster('order')), ['10.0.0.1:41001']);
    assert.equal(translation.model.services.filter(({ host }) => host.startsWith('order.')).length, 1);
  });
});

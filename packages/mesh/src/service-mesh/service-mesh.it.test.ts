// The built-in mesh on a real folder: what it writes is what the control plane makes rules of.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { nodeDisk } from '@heddle/kernel/node';
import { defaultImages, defaultResources } from '../inject/index.ts';
import { acceptResources } from '../resources/index.ts';
import { translate } from '../translate/index.ts';
import { BuiltInServiceMesh, type MetricSource, type TrafficRules } from './index.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-built-in-'));
after(() => rmSync(folder, { recursive: true }));

const instance = {
  id: 'order@10.0.0.1:8080',
  service: 'order',
  address: '10.0.0.1',
  port: 8080,
  version: 'v1',
  metadata: { team: 'a' },
  state: 'running',
  weight: 100,
  zone: 'a',
  region: 'west',
  tags: [],
  protocol: 'grpc',
  health: 'passing',
  lastHeartbeatMs: 0,
} as const;

const asked: string[] = [];
const metrics: MetricSource = {
  query: async (promql) => {
    asked.push(promql);
    return [];
  },
};

function meshIn(name: string): BuiltInServiceMesh {
  return new BuiltInServiceMesh({
    namespace: 'shop',
    rules: nodeDisk(path.join(folder, name)),
    registry: {
      instances: async () =>
        ({
          instances: [instance, { ...instance, address: '10.0.0.2', state: 'draining' }],
          position: '1',
          stale: false,
        }) as never,
    },
    metrics,
    manifests: {
      disk: nodeDisk(path.join(folder, 'manifests')),
      settings: {
        proxy: 'heddle',
        image: defaultImages.heddle,
        controlPlane: { host: 'control', port: 8090 },
        tokenSecret: { name: 'heddle-mesh-{serviceAccount}', key: 'token' },
        dnsServer: undefined,
        byDefault: true,
        native: true,
        resources: defaultResources,
      },
    },
  });
}

const ports = [{ name: 'http', port: 80, targetPort: 8080, protocol: 'http' as const }];
const read = (name: string): { file: string; text: string }[] =>
  readdirSync(path.join(folder, name)).map((file) => ({
    file,
    text: readFileSync(path.join(folder, name, file), 'utf8'),
  }));

describe('the built-in mesh', () => {
  test('writes rules that the control plane translates: split, retry, breaker, mTLS and who may come', async () => {
    const mesh = meshIn('rules');
    await mesh.registerService({
      name: 'order',
      ports,
      endpoints: [
        { address: '10.0.0.1', labels: { version: 'v1' } },
        { address: '10.0.0.2', labels: { version: 'v2' }, weight: 2 },
      ],
    });
    await mesh.configureTraffic({
      serviceName: 'order',
      routingRules: [
        { destination: { version: 'v1' }, weight: 80 },
        { destination: { version: 'v2' }, weight: 20 },
      ],
      circuitBreaker: { consecutiveErrors: 3 },
      retry: { attempts: 2 },
      timeoutMs: 1500,
    });
    await mesh.enableSecurity({ serviceName: 'order', allow: [{ serviceAccounts: ['shop/web'] }] });
    const model = translate(acceptResources(read('rules')));
    const [service] = model.services;
    assert.equal(service?.host, 'order.shop.svc.cluster.local');
    const [rule] = service.rules;
    assert.deepEqual(
      rule?.action.kind === 'forward' && rule.action.shares.map(({ weight }) => weight),
      [80, 20],
    );
    assert.equal(rule?.timeoutMs, 1500);
    assert.equal(rule?.retry?.retries, 2);
    const subset = [...model.clusters.values()].find((each) => each.subset === 'v2');
    assert.ok(subset !== undefined);
    assert.deepEqual(
      model.assignments.get(subset.name)?.endpoints.map(({ address, weight }) => [address, weight]),
      [['10.0.0.2', 2]],
    );
  });

  test('finds instances in the registry; one that is draining is not well', async () => {
    const found = await meshIn('discover').discoverServices('order');
    assert.deepEqual(found[0], {
      address: '10.0.0.1',
      port: 8080,
      weight: 100,
      healthy: true,
      metadata: { team: 'a' },
      zone: 'a',
      region: 'west',
    });
    assert.equal(found[1]?.healthy, false);
  });

  test('puts a sidecar into the manifest of the workload, and says what it reaches', async () => {
    const mesh = meshIn('sidecars');
    const manifest = (name: string): string =>
      `# ${name}\napiVersion: apps/v1\nkind: Deployment\nmetadata: { name: ${name}, namespace: shop }\nspec: { template: { spec: { containers: [{ name: app, image: a }] } } }\n`;
    await nodeDisk(path.join(folder, 'manifests')).replace('order.yaml', Buffer.from(manifest('order')));
    writeFileSync(path.join(folder, 'manifests/web.yaml'), manifest('web'));
    await mesh.injectSidecar({ serviceName: 'order', proxyImage: 'own:1', egressHosts: ['./*'] });
    const [order, web] = read('manifests');
    assert.match(order?.text ?? '', /^# order\n[^]*heddle-sidecar[^]*own:1/);
    assert.equal(web?.text, manifest('web'));
    assert.match(read('sidecars')[0]?.text ?? '', /kind: Sidecar[^]*- \.\/\*/);
    await assert.rejects(
      mesh.injectSidecar({ serviceName: 'nobody' }),
      /no manifest has a workload "nobody"/,
    );
    writeFileSync(path.join(folder, 'manifests/both.yaml'), `${manifest('stock')}---\n${manifest('other')}`);
    await assert.rejects(mesh.injectSidecar({ serviceName: 'stock' }), /has other workloads too/);
  });

  test('refuses what makes no valid rule, and writes nothing', async () => {
    const mesh = meshIn('refused');
    const refused = async (rules: TrafficRules, expected: RegExp): Promise<void> => {
      await assert.rejects(
        mesh.configureTraffic(rules),
        (error) => error instanceof HeddleError && expected.test(error.message),
      );
      assert.throws(() => readdirSync(path.join(folder, 'refused')), /ENOENT/);
    };
    await refused({ serviceName: '../order', timeoutMs: 1 }, /expected a name of DNS/);
    await refused({ serviceName: 'order', retry: { attempts: -1 } }, /attempts/);
    await refused(
      { serviceName: 'order', routingRules: [{ destination: { service: 'stock', version: 'v1' } }] },
      /only rules of stock can tell apart/,
    );
    await refused(
      { serviceName: 'order', rateLimit: {} } as unknown as TrafficRules,
      /no resource of a mesh says a rate limit/,
    );
  });

  test('tells what was measured, and that nothing was', async () => {
    const told = await meshIn('metrics').getMetrics();
    assert.deepEqual(
      [told.requestCount, told.errorRate, told.latency.p99Ms, told.services],
      [undefined, undefined, undefined, {}],
    );
    assert.ok(asked.every((query) => query.includes('reporter="destination"')));
  });
});

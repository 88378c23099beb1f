// Istio's objects as programs make them through the `ServiceMesh` interface, kept by an API server that has Istio's own
// definitions; metrics of a real Prometheus.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { analyze } from '@heddle/mesh/analyze';
import { IstioServiceMesh, type MetricSource, PrometheusQueries } from '@heddle/mesh/service-mesh';
import { stringify } from 'yaml';
import { isMissing, obtain } from '../../../engines/engine.ts';
import { prometheus } from '../../../engines/prometheus.ts';
import { type Cluster, eventually, type KubeObject } from './cluster.ts';
import type { KubernetesCase } from './kubernetes-case.ts';

const networking = 'networking.istio.io/v1';
const security = 'security.istio.io/v1';
const unasked: MetricSource = { query: () => Promise.reject(new Error('nobody asks for metrics here')) };
const ports = [{ name: 'http', port: 80, targetPort: 8080, protocol: 'http' as const }];

/** The cases. */
export const serviceMeshCases: readonly KubernetesCase[] = [
  {
    name: 'ServiceMesh registerService: a Service, or a ServiceEntry where instances are outside; one replaces the other',
    run: async (cluster) => {
      const { mesh, read } = await meshIn(cluster, 'register');
      await mesh.registerService({ name: 'order', ports });
      const service = await read('v1', 'Service', 'order');
      assert.deepEqual(specOf(service)['selector'], { app: 'order' });
      assert.deepEqual(specOf(service)['ports'], [
        { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP', appProtocol: 'http' },
      ]);
      await mesh.registerService({
        name: 'order',
        ports,
        endpoints: [{ address: '10.9.0.1', weight: 3, region: 'west', zone: 'a' }],
      });
      const entry = specOf(await read(networking, 'ServiceEntry', 'order'));
      assert.deepEqual(entry['hosts'], ['order.register.svc.cluster.local']);
      assert.deepEqual(entry['location'], 'MESH_INTERNAL');
      assert.deepEqual(entry['resolution'], 'STATIC');
      await assert.rejects(read('v1', 'Service', 'order'), /not found/);
    },
  },
  {
    name: 'ServiceMesh discoverServices: instances of EndpointSlices and of ServiceEntries, with their readiness',
    run: async (cluster) => {
      const { mesh } = await meshIn(cluster, 'discover');
      assert.deepEqual(await mesh.discoverServices('order'), []);
      await cluster.create({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: 'order-1',
          namespace: 'discover',
          labels: { 'kubernetes.io/service-name': 'order' },
        } as KubeObject['metadata'],
        addressType: 'IPv4',
        ports: [{ name: 'http', port: 8080 }],
        endpoints: [
          { addresses: ['10.0.0.1'], conditions: { ready: true }, zone: 'a' },
          { addresses: ['10.0.0.2'], conditions: { ready: false } },
        ],
      });
      await mesh.registerService({
        name: 'vm',
        ports,
        endpoints: [{ address: '10.9.0.1', weight: 3, region: 'west', zone: 'b' }],
      });
      assert.deepEqual(
        (await mesh.discoverServices('order')).map(({ address, port, healthy, zone }) => [
          address,
          port,
          healthy,
          zone,
        ]),
        [
          ['10.0.0.1', 8080, true, 'a'],
          ['10.0.0.2', 8080, false, ''],
        ],
      );
      const [vm] = await mesh.discoverServices('vm');
      assert.deepEqual(
        [vm?.address, vm?.port, vm?.weight, vm?.region, vm?.zone],
        ['10.9.0.1', 8080, 3, 'west', 'b'],
      );
    },
  },
  {
    name: 'ServiceMesh injectSidecar: a Sidecar, and pods that ask for their proxy',
    run: async (cluster) => {
      const { mesh, read } = await meshIn(cluster, 'sidecar');
      const config = {
        serviceName: 'order',
        proxyImage: 'own:1',
        resources: { cpuRequest: '50m' },
        egressHosts: ['./*'],
      };
      await assert.rejects(mesh.injectSidecar(config), /there is no Deployment "order" in sidecar/);
      await cluster.create(deployment('order', 'sidecar'));
      await mesh.injectSidecar(config);
      assert.deepEqual(specOf(await read(networking, 'Sidecar', 'order'))['egress'], [{ hosts: ['./*'] }]);
      const { template } = specOf(await read('apps/v1', 'Deployment', 'order')) as { template: KubeObject };
      const { labels, annotations } = template.metadata as { labels?: object; annotations?: object };
      assert.deepEqual(labels, { app: 'order', 'sidecar.istio.io/inject': 'true' });
      assert.deepEqual(annotations, {
        'sidecar.istio.io/proxyCPU': '50m',
        'sidecar.istio.io/proxyImage': 'own:1',
      });
    },
  },
  {
    name: 'ServiceMesh configureTraffic: a VirtualService and a DestinationRule; again with others, and those are replaced',
    run: async (cluster) => {
      const { mesh, read } = await meshIn(cluster, 'traffic');
      await mesh.configureTraffic({
        serviceName: 'order',
        routingRules: [
          { match: { headers: { 'X-Canary': 'yes' }, path: '/orders' }, destination: { version: 'v2' } },
          { destination: { version: 'v1' }, weight: 80 },
          { destination: { version: 'v2' }, weight: 20 },
        ],
        loadBalancing: { strategy: 'consistent_hash', of: { header: 'x-user' } },
        circuitBreaker: {
          consecutiveErrors: 3,
          intervalMs: 10_000,
          baseEjectionMs: 30_000,
          maxEjectionPercent: 50,
        },
        connectionPool: { maxConnections: 100, maxPendingRequests: 50, maxRequestsPerConnection: 10 },
        timeoutMs: 2500,
        retry: { attempts: 2, perTryTimeoutMs: 500 },
      });
      const host = 'order.traffic.svc.cluster.local';
      const treated = {
        timeout: '2500ms',
        retries: {
          attempts: 2,
          perTryTimeout: '500ms',
          retryOn: 'connect-failure,refused-stream,unavailable,cancelled,503',
        },
      };
      assert.deepEqual(specOf(await read(networking, 'VirtualService', 'order'))['http'], [
        {
          match: [{ headers: { 'x-canary': { exact: 'yes' } }, uri: { prefix: '/orders' } }],
          route: [{ destination: { host, subset: 'v2' } }],
          ...treated,
        },
        {
          route: [
            { destination: { host, subset: 'v1' }, weight: 80 },
            { destination: { host, subset: 'v2' }, weight: 20 },
          ],
          ...treated,
        },
      ]);
      const rule = specOf(await read(networking, 'DestinationRule', 'order'));
      assert.deepEqual(rule['trafficPolicy'], {
        loadBalancer: { consistentHash: { httpHeaderName: 'x-user' } },
        connectionPool: {
          tcp: { maxConnections: 100 },
          http: { http1MaxPendingRequests: 50, maxRequestsPerConnection: 10 },
        },
        outlierDetection: {
          consecutive5xxErrors: 3,
          interval: '10000ms',
          baseEjectionTime: '30000ms',
          maxEjectionPercent: 50,
        },
      });
      await mesh.configureTraffic({ serviceName: 'order', routingRules: [{ destination: {} }] });
      assert.deepEqual(specOf(await read(networking, 'VirtualService', 'order'))['http'], [
        { route: [{ destination: { host } }] },
      ]);
      const limited = { serviceName: 'order', rateLimit: { perSecond: 1 } } as unknown as Parameters<
        typeof mesh.configureTraffic
      >[0];
      await assert.rejects(mesh.configureTraffic(limited), /no resource of a mesh says a rate limit/);
    },
  },
  {
    name: 'ServiceMesh enableSecurity: a PeerAuthentication and policies of one rule each way; nothing of it is a finding',
    run: async (cluster) => {
      const { mesh, read } = await meshIn(cluster, 'security');
      await mesh.enableSecurity({
        serviceName: 'order',
        allow: [{ serviceAccounts: ['shop/web'], methods: ['GET'], paths: ['/orders/*'], ports: [8080] }],
        deny: [{ namespaces: ['test'] }],
      });
      const objects = [
        await read(security, 'PeerAuthentication', 'order'),
        await read(security, 'AuthorizationPolicy', 'order-allow'),
        await read(security, 'AuthorizationPolicy', 'order-deny'),
      ];
      const [peers, allow, deny] = objects.map(specOf);
      assert.deepEqual(peers, { selector: { matchLabels: { app: 'order' } }, mtls: { mode: 'STRICT' } });
      assert.deepEqual(allow?.['rules'], [
        {
          from: [{ source: { serviceAccounts: ['shop/web'] } }],
          to: [{ operation: { methods: ['GET'], paths: ['/orders/*'], ports: ['8080'] } }],
        },
      ]);
      assert.equal(deny?.['action'], 'DENY');
      const text = objects
        .map(({ apiVersion, kind, metadata: { name }, spec }) =>
          stringify({ apiVersion, kind, metadata: { name, namespace: 'security' }, spec }),
        )
        .join('---\n');
      const { findings } = analyze([{ file: 'security.yaml', text }], { partial: true });
      assert.deepEqual(
        findings.filter(({ severity }) => severity !== 'info'),
        [],
      );
      await assert.rejects(
        mesh.enableSecurity({ serviceName: 'order', allow: [{ serviceAccounts: [7 as unknown as string] }] }),
        /serviceAccounts/,
      );
    },
  },
  {
    name: 'ServiceMesh: what the API server does not let this user do rejects with its words',
    run: async (cluster) => {
      await cluster.namespace('forbidden');
      const client = cluster.clientOf(cluster.credentials.nobodyToken);
      const mesh = new IstioServiceMesh({ client, namespace: 'forbidden', metrics: unasked });
      await assert.rejects(
        mesh.registerService({ name: 'order', ports }),
        /services "order" is forbidden: User "nobody"/,
      );
      client.close();
    },
  },
  {
    name: 'ServiceMesh getMetrics: what a real Prometheus has measured; nothing where nothing was, an error where it is away',
    run: getMetrics,
  },
];

async function getMetrics(cluster: Cluster): Promise<void> {
  const found = await obtain(prometheus);
  if (isMissing(found)) throw new Error(`no Prometheus: ${found.missing}`);
  let calls = 0;
  const sidecar = createServer((_request, response) => {
    calls += 100;
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(exposed(calls));
  });
  const target = await listening(sidecar);
  const [measuring, idle] = await Promise.all([
    prometheus.start({ targets: [target], interval: '200ms' }),
    prometheus.start({}),
  ]);
  const sources = [measuring, idle].map(
    ({ address }) => new PrometheusQueries(`http://${address.host}:${address.port}`, cluster.runtime),
  );
  const [mesh, silent] = sources.map(
    (metrics) => new IstioServiceMesh({ client: cluster.client, namespace: 'default', metrics }),
  );
  try {
    assert.ok(mesh !== undefined && silent !== undefined);
    const told = await eventually(async () => {
      const now = await mesh.getMetrics();
      assert.ok((now.requestCount ?? 0) > 100, JSON.stringify(now));
      return now;
    });
    assert.equal(told.errorRate?.toFixed(2), '0.10');
    // Half of the calls are five ninths of those within 10 ms.
    assert.equal(told.latency.p50Ms?.toFixed(1), '5.6');
    assert.ok((told.latency.p99Ms ?? 0) > 90 && (told.latency.p99Ms ?? 0) <= 100, String(told.latency.p99Ms));
    const [[name, service] = []] = Object.entries(told.services);
    assert.equal(name, 'order.shop.svc.cluster.local');
    assert.equal(service?.errorRate?.toFixed(2), '0.10');
    assert.ok((told.traffic.requestsPerSecond ?? 0) > 0 && (told.traffic.responseBytesPerSecond ?? 0) > 0);
    assert.deepEqual(await silent.getMetrics(), {
      requestCount: undefined,
      errorRate: undefined,
      latency: { p50Ms: undefined, p90Ms: undefined, p99Ms: undefined },
      services: {},
      traffic: {
        requestsPerSecond: undefined,
        requestBytesPerSecond: undefined,
        responseBytesPerSecond: undefined,
      },
    });
    await measuring.stop();
    await assert.rejects(mesh.getMetrics(), /Prometheus: /);
  } finally {
    for (const source of sources) source.close();
    await measuring.stop();
    await idle.stop();
    sidecar.close();
    sidecar.closeAllConnections();
  }
}

/** As a sidecar tells it: one call of ten fails, nine of ten are done within 10 ms, all within 100 ms. */
function exposed(calls: number): string {
  const labels = 'reporter="destination",destination_service="order.shop.svc.cluster.local"';
  const bucket = (le: string, count: number): string =>
    `istio_request_duration_milliseconds_bucket{${labels},le="${le}"} ${count}\n`;
  return [
    `istio_requests_total{${labels},response_code="200"} ${calls * 0.9}\n`,
    `istio_requests_total{${labels},response_code="503"} ${calls * 0.1}\n`,
    // Whoever called has told of the same calls.
    `istio_requests_total{${labels.replace('destination"', 'source"')},response_code="503"} ${calls}\n`,
    bucket('10', calls * 0.9),
    bucket('100', calls),
    bucket('+Inf', calls),
    `istio_request_bytes_sum{${labels}} ${calls * 10}\n`,
    `istio_response_bytes_sum{${labels}} ${calls * 100}\n`,
  ].join('');
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function meshIn(
  cluster: Cluster,
  namespace: string,
): Promise<{
  readonly mesh: IstioServiceMesh;
  readonly read: (apiVersion: string, kind: string, name: string) => Promise<KubeObject>;
}> {
  await cluster.namespace(namespace);
  return {
    mesh: new IstioServiceMesh({ client: cluster.client, namespace, metrics: unasked }),
    read: (apiVersion, kind, name) => cluster.get({ apiVersion, kind, metadata: { name, namespace } }),
  };
}

function specOf(object: KubeObject): Readonly<Record<string, unknown>> {
  return object['spec'] as Readonly<Record<string, unknown>>;
}

function deployment(name: string, namespace: string): KubeObject {
  const labels = { app: name };
  const spec = { containers: [{ name: 'app', image: 'shop:1' }] };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

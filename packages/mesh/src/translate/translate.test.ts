import assert from 'node:assert/strict';
import test from 'node:test';
import type { MeshModel, RouteRule } from '../model/index.ts';
import { loadResources } from '../resources/index.ts';
import type { MeshInstance } from './instance.ts';
import { translate } from './translate.ts';

const services = `
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 9080, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: ratings, namespace: shop}
spec: {selector: {app: ratings}, ports: [{name: grpc, port: 9000}, {name: tcp-db, port: 5432}]}
---
`;

const instance = (workload: string, address: string, labels: Record<string, string>): MeshInstance => ({
  namespace: 'shop',
  workload,
  labels,
  address,
  ports: {},
  serviceAccount: workload,
  locality: { region: 'eu', zone: 'a', subZone: '' },
  weight: 1,
  health: 'healthy',
  meshTls: true,
});

const instances = [
  instance('reviews-v1', '10.0.0.1', { app: 'reviews', version: 'v1' }),
  instance('reviews-v2', '10.0.0.2', { app: 'reviews', version: 'v2' }),
];

function model(text: string, before?: MeshModel, running: readonly MeshInstance[] = instances): MeshModel {
  const { resources, findings } = loadResources([{ file: 'mesh.yaml', text: services + text }]);
  assert.deepEqual(findings, []);
  return translate(resources, { instances: running }, before);
}

function rulesOf(
  made: MeshModel,
  host = 'reviews.shop.svc.cluster.local',
  port = 9080,
): readonly RouteRule[] {
  return made.services.find((each) => each.host === host && each.port === port)?.rules ?? [];
}

const reviews = 'outbound|9080||reviews.shop.svc.cluster.local';
const subset = (name: string): string => `outbound|9080|${name}|reviews.shop.svc.cluster.local`;
const rule = (spec: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: reviews, namespace: shop}\nspec: ${spec}\n---\n`;
const destination = (spec: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: reviews, namespace: shop}\nspec: ${spec}\n---\n`;

test('a service without rules is called straight', () => {
  const made = model('');
  const [only] = rulesOf(made);
  assert.deepEqual(only?.action, { kind: 'forward', shares: [{ cluster: reviews, weight: 1 }] });
  assert.equal(only?.retry?.retries, 2);
  assert.deepEqual(
    made.services.map(({ host, port, protocol }) => `${host}:${port} ${protocol}`),
    [
      'reviews.shop.svc.cluster.local:9080 http',
      'ratings.shop.svc.cluster.local:9000 grpc',
      'ratings.shop.svc.cluster.local:5432 tcp',
    ],
  );
  assert.deepEqual(made.services[0]?.aliases, ['reviews', 'reviews.shop', 'reviews.shop.svc']);
});

test('shares and subsets: the labels say which instances', () => {
  const made = model(
    rule(
      '{hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v1}, weight: 80}, {destination: {host: reviews, subset: v2}, weight: 20}]}]}',
    ) +
      destination(
        '{host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}',
      ),
  );
  const [only] = rulesOf(made);
  assert.ok(only?.action.kind === 'forward');
  assert.deepEqual(only.action.shares, [
    { cluster: subset('v1'), weight: 80 },
    { cluster: subset('v2'), weight: 20 },
  ]);
  const addresses = (cluster: string): unknown =>
    made.assignments.get(cluster)?.endpoints.map(({ address, port }) => `${address}:${port}`);
  assert.deepEqual(addresses(subset('v1')), ['10.0.0.1:8080']);
  assert.deepEqual(addresses(reviews), ['10.0.0.1:8080', '10.0.0.2:8080']);
  assert.equal(
    made.assignments.get(reviews)?.endpoints[0]?.identity,
    'spiffe://cluster.local/ns/shop/sa/reviews-v1',
  );
});

test('all of a rule', () => {
  const made = model(
    rule(`
  hosts: [reviews]
  http:
    - name: canary
      match:
        - headers: {end-user: {exact: jason}, X-A: {}}
          withoutHeaders: {x-b: {}, x-c: {prefix: z}}
          uri: {prefix: /API}
          ignoreUriCase: true
          queryParams: {q: {regex: "a+"}}
          sourceLabels: {app: web}
          sourceNamespace: front
        - {port: 1234}
      route: [{destination: {host: reviews}, headers: {response: {add: {X-V: "2"}}}}]
      rewrite: {uri: /v2, authority: r.example}
      timeout: 1.5s
      retries: {attempts: 4, perTryTimeout: 200ms, retryOn: "5xx,reset"}
      fault: {delay: {fixedDelay: 5s, percentage: {value: 0.1}}, abort: {grpcStatus: UNAVAILABLE}}
      mirror: {host: ratings, port: {number: 9000}}
      mirrorPercentage: {value: 5}
      corsPolicy: {allowOrigins: [{exact: "https://a.example"}], allowMethods: [GET], maxAge: 24h}
      headers: {request: {set: {A: b}, remove: [C]}}
    - redirect: {uri: /there, authority: x.example, redirectCode: 308}
    - directResponse: {status: 503, body: {string: closed}}`),
  );
  const [canary, redirect, respond] = rulesOf(made);
  assert.deepEqual(canary?.matches, [
    {
      path: { kind: 'prefix', value: '/API', ignoreCase: true },
      headers: [
        { name: 'end-user', kind: 'exact', value: 'jason' },
        { name: 'x-a', kind: 'present', value: '' },
        { name: 'x-b', kind: 'absent', value: '' },
        { name: 'x-c', kind: 'prefix', value: 'z', not: true },
      ],
      query: [{ name: 'q', kind: 'regex', value: 'a+' }],
      source: { namespace: 'front', labels: { app: 'web' } },
    },
  ]);
  assert.equal(canary.timeoutMs, 1500);
  assert.deepEqual(canary.retry, {
    retries: 4,
    attemptTimeoutMs: 200,
    on: ['5xx', 'reset'],
    backoffMs: undefined,
  });
  assert.deepEqual(canary.fault, {
    delay: { percent: 0.1, ms: 5000 },
    abort: { percent: 100, grpcStatus: 14 },
  });
  assert.deepEqual(canary.mirrors, [
    { cluster: 'outbound|9000||ratings.shop.svc.cluster.local', percent: 5 },
  ]);
  assert.deepEqual(canary.rewrite, { authority: 'r.example', path: { kind: 'prefix', to: '/v2' } });
  assert.deepEqual(canary.request, { remove: ['c'], set: [['a', 'b']], add: [] });
  assert.equal(canary.cors?.maxAgeSeconds, 86_400);
  assert.deepEqual(redirect?.action, {
    kind: 'redirect',
    status: 308,
    to: { scheme: undefined, host: 'x.example', port: undefined, path: { kind: 'full', value: '/there' } },
  });
  assert.deepEqual(respond?.action, { kind: 'respond', status: 503, body: 'closed' });
});

test('a delegate’s rules stand where it is named, with both matches', () => {
  const made = model(
    rule(
      '{hosts: [reviews], http: [{match: [{uri: {prefix: /a}}], delegate: {name: team, namespace: shop}}]}',
    ) +
      rule(
        '{http: [{match: [{headers: {x: {exact: "1"}}}], route: [{destination: {host: reviews}}]}]}',
      ).replace('name: reviews', 'name: team'),
  );
  assert.deepEqual(rulesOf(made)[0]?.matches, [
    { path: { kind: 'prefix', value: '/a' }, headers: [{ name: 'x', kind: 'exact', value: '1' }], query: [] },
  ]);
});

test('how instances are called: pool, outliers, balancer, TLS; a subset and a port have their own', () => {
  const made = model(
    destination(`
  host: reviews
  trafficPolicy:
    connectionPool: {tcp: {maxConnections: 100}, http: {http1MaxPendingRequests: 50, maxRequestsPerConnection: 10}}
    outlierDetection: {consecutive5xxErrors: 3, interval: 30s, baseEjectionTime: 1m, maxEjectionPercent: 50, minHealthPercent: 30}
    loadBalancer: {consistentHash: {httpHeaderName: X-User}}
    tls: {mode: ISTIO_MUTUAL}
  subsets:
    - {name: v1, labels: {version: v1}, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}
    - {name: v2, labels: {version: v2}, trafficPolicy: {portLevelSettings: [{port: {number: 9080}, tls: {mode: DISABLE}}]}}`),
  );
  const all = made.clusters.get(reviews);
  assert.deepEqual(all?.pool, {
    maxConnections: 100,
    maxPendingRequests: 50,
    maxRequestsPerConnection: 10,
    connectTimeoutMs: 10_000,
  });
  assert.deepEqual(all?.outlier, {
    consecutive5xx: 3,
    intervalMs: 30_000,
    baseEjectionMs: 60_000,
    maxEjectionPercent: 50,
    minHealthPercent: 30,
  });
  assert.deepEqual(all?.balance, {
    policy: 'ring_hash',
    hash: { by: 'header', name: 'x-user' },
    minRingSize: 1024,
  });
  assert.deepEqual(all?.tls, { mode: 'mesh', names: [], sni: 'reviews.shop.svc.cluster.local' });
  assert.equal(made.clusters.get(subset('v1'))?.balance.policy, 'round_robin');
  assert.equal(made.clusters.get(subset('v1'))?.pool.maxConnections, 100);
  assert.deepEqual(made.clusters.get(subset('v2'))?.tls, { mode: 'off' });
  assert.equal(made.clusters.get(subset('v2'))?.outlier, undefined);
});

test('a workload: what it serves, who may come', () => {
  const made = model(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v3, namespace: shop}
spec: {template: {metadata: {labels: {app: reviews, version: v3}}, spec: {serviceAccountName: rev}}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: only-web, namespace: shop}
spec: {selector: {matchLabels: {app: reviews}}, rules: [{from: [{source: {serviceAccounts: [web]}}]}]}
`);
  const workload = made.workloads.get('shop/reviews-v3');
  assert.equal(workload?.serviceAccount, 'rev');
  assert.deepEqual(workload?.inbound, [
    {
      address: '0.0.0.0',
      port: 8080,
      protocol: 'http',
      target: { address: '127.0.0.1', port: 8080 },
      mtls: 'strict',
    },
  ]);
  assert.deepEqual(workload?.policies, [
    {
      name: 'shop/only-web',
      action: 'allow',
      rules: [{ from: [{ serviceAccounts: { values: ['shop/web'], notValues: [] } }], to: [], when: [] }],
    },
  ]);
});

test('an entry: endpoints that it names, or its own name to be resolved', () => {
  const entry = (name: string, spec: string): string =>
    `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n---\n`;
  const made = model(
    entry(
      'vm',
      '{hosts: [legacy.shop.svc.cluster.local], location: MESH_INTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 10.1.0.1, ports: {http: 8081}, locality: eu/b, weight: 3}]}',
    ) +
      entry(
        'out',
        '{hosts: [api.example.com], resolution: DNS, ports: [{number: 443, name: https, protocol: HTTPS}]}',
      ),
  );
  const [vm] = made.assignments.get('outbound|80||legacy.shop.svc.cluster.local')?.endpoints ?? [];
  assert.deepEqual(vm, {
    address: '10.1.0.1',
    port: 8081,
    weight: 3,
    health: 'unknown',
    locality: { region: 'eu', zone: 'b', subZone: '' },
    identity: '',
  });
  const outside = made.clusters.get('outbound|443||api.example.com');
  assert.equal(outside?.source, 'dns');
  assert.deepEqual(outside?.tls, { mode: 'off' });
  assert.equal(
    made.assignments.get('outbound|443||api.example.com')?.endpoints[0]?.address,
    'api.example.com',
  );
});

test('routes of the Gateway API: the most specific match first', () => {
  const made = model(`
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: reviews, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: reviews}]
  rules:
    - {backendRefs: [{name: reviews, port: 9080, weight: 9}, {name: ratings, port: 9000, weight: 1}]}
    - matches: [{path: {type: PathPrefix, value: /a/b}}, {path: {type: Exact, value: /a}}]
      filters: [{type: RequestRedirect, requestRedirect: {hostname: x.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: /z}}}]
`);
  const rules = rulesOf(made);
  assert.deepEqual(
    rules.map(({ matches }) => matches[0]?.path?.value),
    ['/a', '/a/b', undefined],
  );
  assert.equal(rules[0]?.action.kind, 'redirect');
  assert.ok(rules[2]?.action.kind === 'forward');
  assert.deepEqual(
    rules[2].action.shares.map(({ weight }) => weight),
    [9, 1],
  );
});

test('a gateway serves the hosts that it and its rules have in common', () => {
  const made = model(`
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: shop}
spec:
  selector: {app: front}
  servers:
    - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*.shop.example"], tls: {mode: SIMPLE, credentialName: cert}}
    - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"], tls: {httpsRedirect: true}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: public, namespace: shop}
spec:
  hosts: [www.shop.example, other.example]
  gateways: [front]
  http: [{route: [{destination: {host: reviews, port: {number: 9080}}}]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: shop}
spec: {template: {metadata: {labels: {app: front}}}}
`);
  const [https, http] = made.workloads.get('shop/front')?.gateway ?? [];
  const [secure] = https?.servers ?? [];
  assert.deepEqual(secure?.tls, {
    mode: 'terminate',
    certificate: { kind: 'secret', name: 'cert' },
    clients: 'off',
    names: [],
    least: '1.2',
  });
  assert.deepEqual(secure?.sni, ['*.shop.example']);
  assert.deepEqual(
    secure?.hosts.map(({ hosts }) => hosts),
    [['www.shop.example']],
  );
  assert.equal(http?.servers[0]?.hosts[0]?.rules[0]?.action.kind, 'redirect');
  // The rules of a gateway alone are not those of the mesh.
  assert.equal(rulesOf(made)[0]?.name, 'default');
});

test('what has not changed is the same object, so that a change of one endpoint is of one cluster', () => {
  const before = model('');
  const other = instances.map((each) =>
    each.workload === 'reviews-v2' ? { ...each, address: '10.0.0.9' } : each,
  );
  const after = model('', before, other);
  assert.equal(after.clusters, before.clusters);
  assert.equal(after.workloads, before.workloads);
  assert.ok(after.services.every((each, at) => each === before.services[at]));
  const changed = [...after.assignments].filter(([name, each]) => before.assignments.get(name) !== each);
  assert.deepEqual(
    changed.map(([name]) => name),
    [reviews],
  );
});

test('objects with errors are not applied', () => {
  const { resources } = loadResources([
    { file: 'a.yaml', text: services + rule('{hosts: [reviews], http: [{rout: []}]}') },
  ]);
  assert.equal(rulesOf(translate(resources))[0]?.name, 'default');
});

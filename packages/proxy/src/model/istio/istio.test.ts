import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { World } from '../../testdata/world.ts';
import { loadGatewayConfig, readGatewayConfig } from '../gateway-config.ts';

const head = (kind: string, name: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: { name: ${name}, namespace: shop }\n`;

const service = (rules: string, hosts = '[shop.example]'): string =>
  `${head('VirtualService', 'orders')}spec:\n  hosts: ${hosts}\n  gateways: [shop/public, mesh]\n  http:\n${rules}`;

const ruled = `${head('DestinationRule', 'order')}spec:
  host: order.shop.svc.cluster.local
  trafficPolicy:
    loadBalancer: { simple: LEAST_REQUEST }
    connectionPool: { tcp: { maxConnections: 7, connectTimeout: 1.5s }, http: { http1MaxPendingRequests: 9 } }
    outlierDetection: { consecutive5xxErrors: 3, interval: 5s, baseEjectionTime: 20s, maxEjectionPercent: 50 }
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2, zone: a }, trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: X-User } } } }
`;

function problems(content: string): string {
  try {
    readGatewayConfig(content, 'istio.yaml');
  } catch (thrown) {
    return HeddleError.from(thrown).message;
  }
  return assert.fail('it was taken');
}

describe('resources of Istio', () => {
  test('a VirtualService means a route for each match, and a DestinationRule an upstream for each subset', () => {
    const { routes, upstreams } = readGatewayConfig(
      `${service(`    - name: canary
      match: [{ uri: { prefix: /orders }, headers: { End-User: { exact: jason } } }, { uri: { exact: /beta }, method: { exact: GET } }]
      route:
        - { destination: { host: order.shop, subset: v1 }, weight: 80 }
        - { destination: { host: order.shop, subset: v2 }, weight: 20 }
      timeout: 2.5s
      retries: { attempts: 2, perTryTimeout: 500ms }
      fault: { delay: { percentage: { value: 12.5 }, fixedDelay: 100ms }, abort: { httpStatus: 503 } }
      mirror: { host: shadow }
      mirrorPercentage: { value: 10 }
      headers: { request: { set: { X-From: a } }, response: { remove: [X-Debug] } }
      corsPolicy: { allowOrigins: [{ exact: "https://a.example" }], allowMethods: [PUT], maxAge: 60s }
    - match: [{ uri: { prefix: /old } }]
      redirect: { uri: /new, redirectCode: 308 }
    - match: [{ uri: { prefix: /rest }, withoutHeaders: { x-no: {} } }]
      rewrite: { uriRegexRewrite: { match: "^/rest/(.*)$", rewrite: '/\\1' } }
      route: [{ destination: { host: rest, port: { number: 8080 } } }]
    - directResponse: { status: 404, body: { string: none } }
`)}---\n${ruled}`,
      'istio.yaml',
    );
    assert.deepEqual(upstreams, {
      'istio-order-shop-svc-cluster-local': {
        target: 'discovery:///order.shop',
        policy: 'least_request',
        pool: { connections: 7, connectMs: 1500, waiting: 9 },
        ejection: { consecutiveFailures: 3, intervalMs: 5000, ejectMs: 20_000, maxEjectedShare: 0.5 },
      },
      'istio-order-shop-svc-cluster-local-v1': {
        target: 'discovery:///order.shop?version=v1',
        policy: 'least_request',
        pool: { connections: 7, connectMs: 1500, waiting: 9 },
        ejection: { consecutiveFailures: 3, intervalMs: 5000, ejectMs: 20_000, maxEjectedShare: 0.5 },
      },
      'istio-order-shop-svc-cluster-local-v2': {
        target: 'discovery:///order.shop?version=v2&zone=a',
        policy: 'ring_hash',
        hash: { by: 'header', name: 'x-user' },
        pool: { connections: 7, connectMs: 1500, waiting: 9 },
        ejection: { consecutiveFailures: 3, intervalMs: 5000, ejectMs: 20_000, maxEjectedShare: 0.5 },
      },
    });
    const [canary, beta, old, rest, none] = routes;
    assert.equal(canary?.name, 'canary');
    assert.deepEqual(canary.match, {
      hosts: ['shop.example'],
      path: { kind: 'prefix', value: '/orders' },
      methods: [],
      headers: [{ name: 'end-user', kind: 'exact', value: 'jason' }],
      query: [],
    });
    assert.deepEqual(canary.action.kind === 'forward' && canary.action.shares, [
      { upstream: 'istio-order-shop-svc-cluster-local-v1', weight: 80 },
      { upstream: 'istio-order-shop-svc-cluster-local-v2', weight: 20 },
    ]);
    assert.deepEqual([canary.timeoutMs, canary.attempts, canary.attemptTimeoutMs], [2500, 3, 500]);
    assert.deepEqual(canary.fault, {
      delay: { percent: 12.5, ms: 100 },
      abort: { percent: 100, status: 503 },
    });
    assert.deepEqual(canary.mirror, { upstream: 'discovery:///shadow', percent: 10 });
    assert.deepEqual([canary.request.set, canary.response.remove], [[['x-from', 'a']], ['x-debug']]);
    assert.equal(canary.cors?.maxAgeSeconds, 60);
    assert.deepEqual([beta?.match.path, beta?.match.methods], [{ kind: 'exact', value: '/beta' }, ['GET']]);
    assert.deepEqual(old?.action, {
      kind: 'redirect',
      status: 308,
      to: { scheme: undefined, host: undefined, port: undefined, path: { kind: 'full', value: '/new' } },
    });
    assert.deepEqual(rest?.rewrite, { kind: 'regex', pattern: '^/rest/(.*)$', to: '/$1' });
    assert.deepEqual(rest.action.kind === 'forward' && rest.action.shares, [
      { upstream: 'rest.default.svc:8080', weight: 1 },
    ]);
    assert.deepEqual(rest.match.headers, [{ name: 'x-no', kind: 'absent', value: '' }]);
    assert.deepEqual(none?.match.path, { kind: 'prefix', value: '/' });
  });

  test('requests go where a weight and a header send them', async () => {
    const world = World.reading(
      service(
        `    - match: [{ headers: { end-user: { exact: jason } } }]
      route: [{ destination: { host: order.shop.svc, port: { number: 2 } } }]
    - route: [{ destination: { host: order.shop.svc, port: { number: 1 } } }]
`,
        '["*"]',
      ),
    );
    assert.deepEqual(await world.spread(10, (n) => (n < 3 ? { 'end-user': 'jason' } : {})), { 1: 7, 2: 3 });
  });

  test('what is wrong is told with its place, also between documents', () => {
    const wrong = service(`    - match: [{ uri: { prefx: /a } }]
      route: [{ destination: { host: order.shop, subset: v9 } }]
    - match: [{ uri: { prefix: /b }, sourceSubnet: 10.0.0.0/8 }]
      route: [{ destination: { host: a } }]
      retries: { attempts: 1, retryOn: "5xx,sometimes" }
    - match: [{ uri: { prefix: /c } }]
      route: [{ destination: { host: order.shop, subset: v9 } }]
`);
    const said = problems(`${wrong}---\n${ruled}`);
    assert.match(said, /istio\.yaml:8:\d+.*unknown key "prefx": did you mean "prefix"/);
    assert.match(said, /10:\d+.*unknown key "sourceSubnet"/);
    assert.match(said, /12:\d+.*"sometimes" is none of the conditions 5xx, gateway-error/);
    assert.match(said, /13:\d+.*the subset "v9" of order\.shop is in no DestinationRule/);
  });

  test('matches that are for sidecars only are none of a gateway', () => {
    const rules = `    - match: [{ uri: { prefix: /a }, sourceLabels: { app: x } }, { uri: { prefix: /b } }]
      route: [{ destination: { host: a } }]
    - match: [{ uri: { prefix: /c }, gateways: [mesh] }, { uri: { prefix: /d }, sourceNamespace: shop }]
      route: [{ destination: { host: c } }]
    - match: [{ uri: { prefix: /e }, gateways: [shop/public, mesh] }]
      route: [{ destination: { host: e } }]
`;
    const { routes } = readGatewayConfig(service(rules), 'istio.yaml');
    assert.deepEqual(
      routes.map(({ match }) => match.path.value),
      ['/b', '/e'],
    );
    assert.match(
      problems(service(rules).replace(', mesh]\n  http', ']\n  http')),
      /expected "mesh" among the "gateways" of the VirtualService/,
    );
  });

  test('retryOn says what is tried again, of what may be', async () => {
    const asked = async (on: string, status: number, method = 'GET'): Promise<number> => {
      const rules = `    - route: [{ destination: { host: 127.0.0.1, port: { number: 80 } } }]
      retries: { attempts: 2, retryOn: "${on}" }
`;
      const world = World.reading(service(rules, '["*"]'));
      world.answerStatus = status;
      assert.equal((await world.send('/', {}, { method })).status, status);
      return world.asked.length;
    };
    assert.equal(await asked('gateway-error', 503), 3);
    assert.equal(await asked('gateway-error', 500), 1);
    assert.equal(await asked('5xx', 500), 3);
    assert.equal(await asked('retriable-4xx, 429', 429), 3);
    assert.equal(await asked('connect-failure', 503), 1);
    // Nobody has said that it may be done twice.
    assert.equal(await asked('5xx', 503, 'POST'), 1);
  });

  test('rules whose order means something else here are problems', () => {
    const general = 'route: [{ destination: { host: a } }]';
    const at = (first: string, second: string): string =>
      service(
        `    - match: [{ ${first} }]\n      ${general}\n    - match: [{ ${second} }]\n      ${general}\n`,
      );
    for (const [first, second] of [
      ['uri: { prefix: / }', 'uri: { prefix: /api }'],
      ['headers: { x: { exact: a } }', 'uri: { prefix: /api }'],
      ['uri: { regex: "/a.*" }', 'uri: { exact: /ab }'],
    ] as const)
      assert.match(
        problems(at(first, second)),
        /http\[1\].*is more specific than VirtualService shop\/orders http\[0\]/s,
      );
    for (const [first, second] of [
      ['uri: { prefix: /api }', 'uri: { prefix: / }'],
      ['uri: { prefix: /a }', 'uri: { prefix: /bcd }'],
      ['uri: { prefix: /a }, method: { exact: GET }', 'uri: { prefix: /a/b }, method: { exact: PUT }'],
      ['headers: { x: { exact: a } }', 'uri: { prefix: /api }, headers: { x: { exact: b } }'],
    ] as const)
      assert.equal(readGatewayConfig(at(first, second), 'x').routes.length, 2, `${first} ${second}`);
  });

  test('a Gateway says which hosts there are', () => {
    const gateway = (server: string): string =>
      `${head('Gateway', 'public')}spec:\n  selector: { istio: ingressgateway }\n  servers: [${server}]\n`;
    const routes = service('    - route: [{ destination: { host: a } }]\n');
    const open = gateway('{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["shop/*.example"] }');
    assert.equal(readGatewayConfig(`${routes}---\n${open}`, 'x').routes.length, 1);
    const other = gateway('{ port: { number: 80, protocol: HTTP }, hosts: [other.example] }');
    assert.match(
      problems(`${routes}---\n${other}`),
      /"shop\.example" is not among the hosts of Gateway shop\/public/,
    );
    assert.match(
      problems(`${head('Sidecar', 's')}spec: {}\n`),
      /expected VirtualService, Gateway or DestinationRule/,
    );
  });

  test('a rule with mistakes is put aside, and refuses what it is for; the others are served', () => {
    const { routes, quarantined } = loadGatewayConfig(
      service(`    - match: [{ uri: { prefix: /a } }]
      route: [{ destination: { host: a } }]
      bogus: 1
    - route: [{ destination: { host: b } }]
`),
      'x',
    );
    assert.equal(routes.length, 1);
    assert.deepEqual(
      quarantined.map(({ at, match }) => [at, match?.path.value]),
      [['VirtualService shop/orders http[0]', '/a']],
    );
  });
});

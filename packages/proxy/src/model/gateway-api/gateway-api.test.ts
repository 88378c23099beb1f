import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { World } from '../../testdata/world.ts';
import { type GatewayConfig, loadGatewayConfig, readGatewayConfig } from '../gateway-config.ts';

const head = (kind: string): string =>
  `apiVersion: gateway.networking.k8s.io/v1\nkind: ${kind}\nmetadata: { name: shop, namespace: store }\nspec:\n`;

function http(spec: string): GatewayConfig {
  return readGatewayConfig(head('HTTPRoute') + spec, 'route.yaml');
}

function problems(content: string): string[] {
  try {
    readGatewayConfig(content, 'route.yaml');
  } catch (thrown) {
    return HeddleError.from(thrown).message.split('\n');
  }
  return assert.fail('it was taken');
}

describe('an HTTPRoute', () => {
  test('means a route for each match, with the hosts, shares, changes and times of its rule', () => {
    const { routes } = http(`  parentRefs: [{ name: public }]
  hostnames: [shop.example, "*.shop.example"]
  rules:
    - matches:
        - { path: { type: PathPrefix, value: /orders }, method: GET }
        - { path: { type: Exact, value: /order }, headers: [{ name: X-Beta, value: "1" }] }
        - { path: { type: RegularExpression, value: "/v[0-9]+" }, queryParams: [{ name: v, type: RegularExpression, value: "2.*" }] }
      filters:
        - { type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: X-From, value: a }], remove: [X-Debug] } }
        - { type: ResponseHeaderModifier, responseHeaderModifier: { add: [{ name: x-tag, value: b }] } }
        - { type: RequestMirror, requestMirror: { backendRef: { name: shadow }, fraction: { numerator: 1, denominator: 8 } } }
        - { type: CORS, cors: { allowOrigins: ["https://a.example"], allowMethods: [PUT], allowCredentials: true } }
      backendRefs: [{ name: order, port: 8080, weight: 9 }, { name: order-next, weight: 1 }]
      timeouts: { request: 1m30s, backendRequest: 500ms }
`);
    assert.deepEqual(
      routes.map(({ name, match: { path, methods, headers, query } }) => [
        name,
        path,
        methods,
        headers,
        query,
      ]),
      [
        ['HTTPRoute store/shop rules[0] match 0', { kind: 'prefix', value: '/orders' }, ['GET'], [], []],
        [
          'HTTPRoute store/shop rules[0] match 1',
          { kind: 'exact', value: '/order' },
          [],
          [{ name: 'x-beta', kind: 'exact', value: '1' }],
          [],
        ],
        [
          'HTTPRoute store/shop rules[0] match 2',
          { kind: 'regex', value: '/v[0-9]+' },
          [],
          [],
          [{ name: 'v', kind: 'regex', value: '2.*' }],
        ],
      ],
    );
    const [first] = routes;
    assert.deepEqual(first?.match.hosts, ['shop.example', '*.shop.example']);
    assert.deepEqual(first?.action, {
      kind: 'forward',
      shares: [
        { upstream: 'order.default.svc:8080', weight: 9 },
        { upstream: 'discovery:///order-next', weight: 1 },
      ],
      variants: [],
      sticky: undefined,
    });
    assert.deepEqual(
      [first?.request.set, first?.request.remove, first?.response.add],
      [[['x-from', 'a']], ['x-debug'], [['x-tag', 'b']]],
    );
    assert.deepEqual(first?.mirror, { upstream: 'discovery:///shadow', percent: 12.5 });
    assert.deepEqual([first?.timeoutMs, first?.attemptTimeoutMs], [90_000, 500]);
    assert.equal(first?.cors?.credentials, true);
  });

  test('without matches is for everything; a rewrite is of its prefix, or of all', () => {
    const { routes } = http(`  rules:
    - backendRefs: [{ name: a }]
    - matches: [{ path: { value: /old } }]
      filters: [{ type: URLRewrite, urlRewrite: { hostname: new.example, path: { type: ReplacePrefixMatch, replacePrefixMatch: /new } } }]
      backendRefs: [{ name: a }]
`);
    assert.deepEqual(
      routes.map(({ match }) => match.path.value),
      ['/', '/old'],
    );
    assert.deepEqual(
      [routes[1]?.rewrite, routes[1]?.forwardHost],
      [{ kind: 'prefix', to: '/new' }, 'new.example'],
    );
  });

  for (const [redirect, path, expected] of [
    ['scheme: https', '/a?b=1', 'https://a/a?b=1'],
    ['scheme: https, port: 8443', '/a', 'https://a:8443/a'],
    ['hostname: b.example', '/a', 'http://b.example/a'],
    ['port: 8080, statusCode: 301', '/a', 'http://a:8080/a'],
    ['path: { type: ReplaceFullPath, replaceFullPath: /x }', '/a/b?c', 'http://a/x?c'],
    ['path: { type: ReplacePrefixMatch, replacePrefixMatch: /x }', '/a/b?c', 'http://a/x/b?c'],
  ] as const)
    test(`redirects with ${redirect}`, async () => {
      const config = `${head('HTTPRoute')}  rules: [{ matches: [{ path: { value: /a } }], filters: [{ type: RequestRedirect, requestRedirect: { ${redirect} } }] }]`;
      const site = World.reading(config);
      const res = await site.send(path);
      assert.deepEqual(
        [res.status, res.fields.get('location')],
        [redirect.includes('301') ? 301 : 302, expected],
      );
    });

  test('asks for another host', async () => {
    const filters = '[{ type: URLRewrite, urlRewrite: { hostname: new.example } }]';
    const site = World.reading(
      `${head('HTTPRoute')}  rules: [{ filters: ${filters}, backendRefs: [{ name: a, port: 1 }] }]`,
    );
    await site.send('/');
    assert.equal(site.asked[0]?.req.authority, 'new.example');
    assert.equal(site.asked[0]?.req.fields.get('x-forwarded-host'), 'a');
  });

  for (const [what, spec, expected] of [
    [
      'an unknown key',
      '  rules: [{ backendRef: [] }]',
      /:5:13: HTTPRoute store\/shop rules\[0\]\.backendRef: unknown key "backendRef": did you mean "backendRefs"/,
    ],
    [
      'a filter of another type',
      '  rules: [{ filters: [{ type: ExtensionRef }], backendRefs: [{ name: a }] }]',
      /expected RequestHeaderModifier/,
    ],
    [
      'a filter without its key',
      '  rules: [{ filters: [{ type: CORS }], backendRefs: [{ name: a }] }]',
      /expected "cors" beside its type/,
    ],
    ['no backend', '  rules: [{}]', /expected "backendRefs"/],
    [
      'a bad expression',
      '  rules: [{ matches: [{ path: { type: RegularExpression, value: "(" } }], backendRefs: [{ name: a }] }]',
      /not a regular expression/,
    ],
    [
      'a path that is not plain',
      '  rules: [{ matches: [{ path: { value: /a/../b } }], backendRefs: [{ name: a }] }]',
      /written as it will be matched/,
    ],
    [
      'a duration',
      '  rules: [{ timeouts: { request: soon }, backendRefs: [{ name: a }] }]',
      /expected a duration/,
    ],
    [
      'another kind of backend',
      '  rules: [{ backendRefs: [{ kind: Bucket, name: a }] }]',
      /expected Service/,
    ],
    [
      'a path filter twice',
      '  rules: [{ filters: [{ type: CORS, cors: {} }, { type: CORS, cors: {} }], backendRefs: [{ name: a }] }]',
      /twice/,
    ],
    ['no rules', '  hostnames: [a]', /"rules" is missing/],
  ] as const)
    test(`with ${what} is refused, and says where`, () =>
      assert.match(problems(head('HTTPRoute') + spec).join('\n'), expected));

  test('of another kind or version is refused', () => {
    assert.match(
      problems(`${head('TCPRoute')}  rules: []`)[0] ?? '',
      /:2:7: kind: expected HTTPRoute or GRPCRoute, found "TCPRoute"/,
    );
    assert.match(problems(head('HTTPRoute').replace('/v1', '/v1alpha2'))[0] ?? '', /:1:13: apiVersion/);
  });
});

describe('a GRPCRoute', () => {
  test('means calls of a service or a method, over HTTP/2', () => {
    const { routes } = readGatewayConfig(
      `${head('GRPCRoute')}  rules:
    - matches: [{ method: { service: shop.Order } }, { method: { service: shop.Order, method: Place }, headers: [{ name: x-a, value: b }] }]
      backendRefs: [{ name: order, port: 50051 }]
    - backendRefs: [{ name: rest }]
`,
      'route.yaml',
    );
    assert.deepEqual(
      routes.map(({ match: { path, methods, headers }, protocol }) => [
        path.kind,
        path.value,
        methods,
        headers.length,
        protocol,
      ]),
      [
        ['prefix', '/shop.Order', ['POST'], 1, 'h2c'],
        ['exact', '/shop.Order/Place', ['POST'], 2, 'h2c'],
        ['prefix', '/', ['POST'], 1, 'h2c'],
      ],
    );
  });

  test('has no method of any service, and no rewrite', () => {
    const of = (rule: string): string => problems(`${head('GRPCRoute')}  rules: [${rule}]`)[0] ?? '';
    assert.match(
      of('{ matches: [{ method: { method: Place } }], backendRefs: [{ name: a }] }'),
      /expected "service"/,
    );
    assert.match(
      of('{ filters: [{ type: URLRewrite, urlRewrite: { hostname: a } }], backendRefs: [{ name: a }] }'),
      /HTTPRoute/,
    );
  });
});

test('several resources in one file: positions are of the file, and a bad rule closes what it is for and no other', () => {
  const good = `${head('HTTPRoute')}  rules: [{ matches: [{ path: { value: /a } }], backendRefs: [{ name: a }] }]\n`;
  const bad = `${head('HTTPRoute').replace('shop', 'other')}  rules:
    - { matches: [{ path: { value: /b } }], backendRefs: [{ name: b, wait: 1 }] }
    - { matches: [{ path: { value: /c } }], backendRefs: [{ name: c }] }
`;
  const text = `${good}---\n${bad}`;
  assert.match(
    problems(text)[0] ?? '',
    /^route\.yaml:12:70: HTTPRoute store\/other rules\[0\]\.backendRefs\[0\]\.wait: unknown key/,
  );
  const { routes, quarantined } = loadGatewayConfig(text, 'route.yaml');
  assert.deepEqual(
    routes.map(({ match }) => match.path.value),
    ['/a', '/c'],
  );
  assert.deepEqual(
    quarantined.map(({ match }) => match?.path.value),
    ['/b'],
  );
});

test('says the same as the short form', () => {
  const short = readGatewayConfig(
    'routes: [{ name: n, path: /a, host: [a.example], split: [{ upstream: "discovery:///a", weight: 1 }], timeoutMs: 5000 }]',
    'x',
  );
  const long = http(`  hostnames: [a.example]
  rules: [{ name: n, matches: [{ path: { value: /a } }], backendRefs: [{ name: a }], timeouts: { request: 5s } }]`);
  assert.deepEqual(long, short);
});

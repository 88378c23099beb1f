import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { emptyBody, Fields, type HttpRequest } from '@heddle/wire';
import fc from 'fast-check';
import { readGatewayConfig } from '../model/gateway-config.ts';
import type { RouteConfig } from '../model/route.ts';
import { explain } from './explain.ts';
import { pathRewrite, rewritePath } from './rewrite.ts';
import { Router } from './router.ts';

function asking(path: string, change: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'GET',
    scheme: 'http',
    authority: 'a',
    path,
    fields: new Fields(),
    body: emptyBody,
    ...change,
  };
}

function routesOf(...routes: object[]): readonly RouteConfig[] {
  const full = routes.map((route, at) => ({ name: String(at), respond: { status: 200 }, ...route }));
  return readGatewayConfig(JSON.stringify({ routes: full }), 'test').routes;
}

describe('prefixes', () => {
  const router = new Router(routesOf({ path: '/api' }, { path: '/api/orders/' }, { path: '/health' }));
  for (const [path, expected] of [
    ['/api', '/api'],
    ['/api/', '/api'],
    ['/api/x/y', '/api'],
    ['/apix', undefined],
    ['/api/orders', '/api/orders/'],
    ['/api/orders/7/items', '/api/orders/'],
    ['/api/ordersx', '/api'],
    ['/API', undefined],
    ['/', undefined],
    ['/health?x', '/health'],
  ] as const) {
    test(`${path} goes to ${expected}`, () =>
      assert.equal(router.match(asking(path))?.match.path.value, expected));
  }
});

test('the most specific path wins, in any order of the file', () => {
  const paths = [
    { prefix: '/' },
    { prefix: '/users' },
    { regex: '/users/\\d+' },
    { template: '/users/{id}' },
    { template: '/users/{id}/orders' },
    { template: '/{kind}/7' },
    { exact: '/users/me' },
  ];
  const cases: readonly (readonly [string, string])[] = [
    ['/users/me', '/users/me'],
    ['/users/7', '/users/{id}'],
    ['/users/7/', '/users'],
    ['/users/7/orders', '/users/{id}/orders'],
    ['/users/', '/users'],
    ['/things/7', '/{kind}/7'],
    ['/things/8', '/'],
  ];
  for (const order of [paths, paths.toReversed()]) {
    const router = new Router(routesOf(...order.map((path) => ({ path }))));
    for (const [path, expected] of cases)
      assert.equal(router.match(asking(path))?.match.path.value, expected, path);
  }
});

test('a template goes back where a plain segment leads nowhere', () => {
  const router = new Router(routesOf({ path: { template: '/a/{x}/c' } }, { path: { template: '/{x}/b/d' } }));
  assert.equal(router.match(asking('/a/b/d'))?.name, '1');
  assert.equal(router.match(asking('/a/b/c'))?.name, '0');
});

test('hosts are compared without case, port and final dot, a name before a wildcard before any', () => {
  const router = new Router(
    routesOf(
      { path: '/' },
      { path: '/', host: '*.shop.example' },
      { path: '/', host: ['eu.shop.example', 'us.shop.example'] },
      { path: '/', host: '*.eu.shop.example' },
    ),
  );
  const cases = {
    'EU.Shop.example.:8080': '2',
    'us.shop.example': '2',
    'a.eu.shop.example': '3',
    'x.shop.example': '1',
  };
  for (const [authority, name] of Object.entries({ ...cases, 'shop.example': '0', '[::1]:80': '0', '': '0' }))
    assert.equal(router.match(asking('/', { authority }))?.name, name, authority);
});

test('a method, headers and query parameters must all fit, repeated ones by any value', () => {
  const router = new Router(
    routesOf(
      { path: '/' },
      { path: '/', method: 'POST' },
      { path: '/', headers: { 'x-beta': 'yes' } },
      { path: '/', headers: { 'x-beta': { regex: 'y.*' }, 'x-old': { present: false } } },
      { path: '/', query: { v: { prefix: '2' } } },
    ),
  );
  const of = (path: string, headers: string[], method = 'GET'): string | undefined =>
    router.match(asking(path, { fields: new Fields(headers), method }))?.name;
  assert.equal(of('/', []), '0');
  assert.equal(of('/', [], 'POST'), '1');
  assert.equal(of('/', ['x-beta', 'no', 'x-beta', 'yes']), '3');
  assert.equal(of('/', ['x-beta', 'yes', 'x-old', '1']), '2');
  assert.equal(of('/?v=1&v=2x', []), '4');
  assert.equal(of('/?v=12', []), '0');
});

test('gRPC is matched byte for byte', () => {
  const [service, method] = [{ service: 'shop.Order' }, { service: 'shop.Order', method: 'Place' }];
  const router = new Router(routesOf({ grpc: service }, { grpc: method }));
  const of = (path: string, type = 'application/grpc+proto'): string | undefined =>
    router.match(asking(path, { method: 'POST', fields: Fields.of({ 'content-type': type }) }))?.name;
  assert.equal(of('/shop.Order/Place'), '1');
  assert.equal(of('/shop.Order/Cancel'), '0');
  assert.equal(of('/shop.Order/place'), '0');
  assert.equal(of('/shop.Order/Place/'), '0');
  assert.equal(of('/shop.OrderX/Place'), undefined);
  assert.equal(of('/shop.Order/Place', 'application/json'), undefined);
});

test('a regular expression takes linear time', () => {
  const router = new Router(routesOf({ path: { regex: '/(a+)+$' } }));
  assert.equal(router.match(asking(`/${'a'.repeat(8000)}!`)), undefined);
});

test('the tables find what a comparison with every route in order finds', () => {
  const segment = fc.constantFrom('a', 'b', 'ab', '{x}');
  const joined = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
  const plain = joined.map((path) => path.replaceAll('{x}', 'c'));
  const path = fc.oneof(
    fc.record({ exact: plain }),
    fc.record({ prefix: plain }),
    joined.filter((each) => each.includes('{')).map((template) => ({ template })),
    fc.constantFrom({ regex: '/a.*' }, { regex: '/[ab]/[^/]*' }),
  );
  const host = fc.constantFrom([], ['h.x'], ['*.x'], ['h.x', 'g.x']);
  const method = fc.constantFrom([], ['GET'], ['POST']);
  const headers = fc.constantFrom({}, { 'x-a': '1' }, { 'x-a': { present: true } });
  const route = fc.record({ path, host, method, headers });
  const routes = fc.uniqueArray(route, { maxLength: 10, selector: (each) => JSON.stringify(each) });
  const request = fc.record({
    path: plain,
    authority: fc.constantFrom('h.x', 'i.x', 'y'),
    method: fc.constantFrom('GET', 'POST'),
    fields: fc.constantFrom(new Fields(), Fields.of({ 'x-a': '1' })),
  });
  fc.assert(
    fc.property(routes, request, (given, asked) => {
      const config = routesOf(...given);
      const req = asking(asked.path, asked);
      const slow = explain(config, req).find(({ verdict }) => verdict === 'taken');
      assert.equal(new Router(config).match(req)?.name, slow?.route.name);
    }),
    { numRuns: 500 },
  );
});

test('an explanation says of every route why', () => {
  const routes = routesOf(
    { path: '/' },
    { path: '/x', method: 'POST' },
    { path: { exact: '/x' } },
    { path: '/x', host: 'b' },
  );
  const lines = explain(routes, asking('/x')).map(
    ({ route, verdict, why }) => `${route.name} ${verdict}: ${why}`,
  );
  assert.deepEqual(lines, [
    '3 no: the host is a, not b',
    '2 taken: exact /x',
    '1 no: the method is GET, not POST',
    '0 shadowed: 2 is more specific',
  ]);
});

test('a rewrite replaces the prefix and keeps the rest', () => {
  assert.equal(rewritePath('/api/orders/7', '/api', '/'), '/orders/7');
  assert.equal(rewritePath('/api/orders/7', '/api/orders', '/v1/orders/'), '/v1/orders/7');
  assert.equal(rewritePath('/api', '/api/', '/'), '/');
  assert.equal(rewritePath('/api/', '/api', '/'), '/');
  assert.equal(rewritePath('/x', '/', '/base'), '/base/x');
});

test('a rewrite by expression moves groups, and makes no path that means two things', () => {
  const change = pathRewrite({ kind: 'regex', pattern: '^/api/v1/(.*)$', to: '/$1' }, '');
  assert.equal(change('/api/v1/users/7'), '/users/7');
  assert.equal(change('/api/v2/users/7'), '/api/v2/users/7');
  const joined = pathRewrite({ kind: 'regex', pattern: 'x', to: '' }, '');
  assert.throws(() => joined('/a/x./x./admin'), { reason: 'BAD_REWRITE' });
});

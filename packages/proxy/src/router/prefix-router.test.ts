import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PrefixRouter, rewritePath } from './prefix-router.ts';

const router = new PrefixRouter([{ path: '/api' }, { path: '/api/orders/' }, { path: '/health' }]);

for (const [path, expected] of [
  ['/api', '/api'],
  ['/api/', '/api'],
  ['/api/x/y', '/api'],
  ['/apix', undefined],
  ['/api/orders', '/api/orders/'],
  ['/api/orders/', '/api/orders/'],
  ['/api/orders/7/items', '/api/orders/'],
  ['/api/ordersx', '/api'],
  ['/API', undefined],
  ['/', undefined],
  ['/health', '/health'],
] as const) {
  test(`${path} goes to ${expected}`, () => assert.equal(router.match(path)?.path, expected));
}

test('"/" takes what nobody else takes', () => {
  const all = new PrefixRouter([{ path: '/' }, { path: '/a' }]);
  assert.deepEqual(
    ['/', '/b/c', '/a/b'].map((path) => all.match(path)?.path),
    ['/', '/', '/a'],
  );
});

test('the longest matching prefix wins, in any order of the routes', () => {
  const segments = fc.array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 4 });
  const path = segments.map((parts) => `/${parts.join('/')}`);
  fc.assert(
    fc.property(fc.uniqueArray(path), path, (prefixes, asked) => {
      const matching = prefixes.filter(
        (each) => each === '/' || asked === each || asked.startsWith(`${each}/`),
      );
      const longest = matching.toSorted((a, b) => b.length - a.length)[0];
      const found = new PrefixRouter(prefixes.map((each) => ({ path: each }))).match(asked);
      assert.equal(found?.path, longest);
    }),
  );
});

test('a rewrite replaces the prefix and keeps the rest', () => {
  assert.equal(rewritePath('/api/orders/7', '/api', '/'), '/orders/7');
  assert.equal(rewritePath('/api/orders/7', '/api/orders', '/v1/orders/'), '/v1/orders/7');
  assert.equal(rewritePath('/api', '/api/', '/'), '/');
  assert.equal(rewritePath('/api/', '/api', '/'), '/');
  assert.equal(rewritePath('/x', '/', '/base'), '/base/x');
});

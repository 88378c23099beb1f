import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import fc from 'fast-check';
import { parseTarget } from './target.ts';

test('a discovery target names a service and perhaps a subset', () => {
  assert.deepEqual(parseTarget('discovery:///user-service'), {
    kind: 'discovery',
    text: 'discovery:///user-service',
    service: 'user-service',
    subset: { tags: [] },
  });
  const narrow = parseTarget('discovery:///shop.v1.Users?version=v2&tag=api&tag=a%26b&zone=z1&region=eu');
  assert.equal(narrow.kind, 'discovery');
  assert.deepEqual(narrow.kind === 'discovery' && narrow.subset, {
    version: 'v2',
    zone: 'z1',
    region: 'eu',
    tags: ['api', 'a&b'],
  });
});

test('a static target is one address or several', () => {
  const endpoints = (text: string): unknown => {
    const target = parseTarget(text);
    return target.kind === 'static' && target.endpoints;
  };
  assert.deepEqual(endpoints('10.0.0.1:80'), [{ host: '10.0.0.1', port: 80 }]);
  assert.deepEqual(endpoints('[::1]:8080'), [{ host: '::1', port: 8080 }]);
  assert.deepEqual(endpoints('static:///a.example:1,[fe80::1%eth0]:65535'), [
    { host: 'a.example', port: 1 },
    { host: 'fe80::1%eth0', port: 65_535 },
  ]);
});

const wrong: readonly (readonly [text: string, position: number, expected: RegExp])[] = [
  ['', 0, /host:port/],
  ['localhost', 0, /host:port/],
  ['localhost:', 10, /port from 1 to 65535/],
  ['localhost:0', 10, /port from 1 to 65535/],
  ['localhost:70000', 10, /port from 1 to 65535/],
  ['localhost:8x', 10, /port from 1 to 65535/],
  ['::1:8080', 0, /v6 in brackets/],
  ['[10.0.0.1]:80', 0, /v6 in brackets/],
  ['[::1]8080', 0, /host:port/],
  ['10.0.0.256:80', 0, /IP literal/],
  ['a b:80', 0, /host name/],
  ['http:///a:1', 0, /scheme "discovery" or "static"/],
  ['static:///a:1,', 14, /host:port/],
  ['static:///a:1,b:99999', 16, /port/],
  ['static://a:1', 9, /no authority/],
  ['discovery://', 12, /no authority/],
  ['discovery://host/users', 12, /no authority/],
  ['discovery:///', 13, /a service name/],
  ['discovery:///a/b', 13, /a service name/],
  ['discovery:///users?', 19, /one of version, zone, region, tag/],
  ['discovery:///users?vresion=1', 19, /one of version/],
  ['discovery:///users?version', 26, /a value for "version"/],
  ['discovery:///users?version=', 26, /a value for "version"/],
  ['discovery:///users?version=1&version=2', 29, /"version" once/],
  ['discovery:///users?tag=a&tag=%zz', 29, /percent-encoded/],
];

for (const [text, position, expected] of wrong) {
  test(`"${text}" is refused at position ${position}`, () => {
    assert.throws(
      () => parseTarget(text),
      (error: unknown) => {
        assert.ok(error instanceof HeddleError);
        assert.ok(error.is('invalid_argument', 'BAD_TARGET'));
        assert.match(error.message, expected);
        assert.deepEqual(error.details, [{ type: 'heddle.TargetPosition', value: { position } }]);
        return true;
      },
    );
  });
}

test('any text is either read or refused with BAD_TARGET, never anything else', () => {
  const piece = fc.constantFrom(
    'discovery',
    'static',
    '://',
    '/',
    '?',
    '&',
    '=',
    '%41',
    '%',
    '[',
    ']',
    ':',
    ',',
    '::1',
    '80',
    'tag',
    'a',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join('')),
      ),
      (text) => {
        try {
          assert.equal(parseTarget(text).text, text);
        } catch (error) {
          assert.ok(error instanceof HeddleError && error.reason === 'BAD_TARGET', String(error));
        }
      },
    ),
  );
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isNormal, normalPath } from './normal-path.ts';

const normal: [target: string, path: string, query?: string][] = [
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/a/b/', '/a/b/'],
  ['/a?x=/../%2f;&y', '/a', '?x=/../%2f;&y'],
  ['/?', '/', '?'],
  ['//admin', '/admin'],
  ['/a///b//', '/a/b/'],
  ['/./admin', '/admin'],
  ['/a/../admin', '/admin'],
  ['/a/b/..', '/a/'],
  ['/a/.', '/a/'],
  ['/..a/.b/c..', '/..a/.b/c..'],
  ['/%61dmin', '/admin'],
  ['/%41%7E%2d', '/A~-'],
  ['/a/%2e%2e/admin', '/admin'],
  ['/a/%2E./admin', '/admin'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/a%20b', '/a%20b'],
  ['/100%25', '/100%25'],
  ['/.well-known/x', '/.well-known/x'],
  ['/a/..//b', '/b'],
  ['/a//../b', '/b'],
];

const refused = [
  '',
  'admin',
  '*',
  'http://h/admin',
  '/..',
  '/../admin',
  '/a/../../admin',
  '/%2e%2e/admin',
  '/a\\admin',
  '/a%5cadmin',
  '/a%5Cadmin',
  '/a%2fadmin',
  '/a%2Fadmin',
  '/%00admin',
  '/admin%00',
  '/a%0d%0aX:y',
  '/a%7f',
  '/admin%',
  '/admin%2',
  '/admin%zz',
  '/%%41',
  '/admin;x=1',
  '/a/..;/admin',
  '/a%3bx',
  '/%252e%252e/admin',
  '/%2561dmin',
  '/admin\u0000',
  '/ad min',
  '/ad\tmin',
  '/café',
  '/admin#x',
  '/a?x#y',
  '/a?x=\u0007',
  '/a?x=é',
  '/a\u007f',
];

describe('normalPath', () => {
  for (const [target, path, query = ''] of normal) {
    test(`${target} is ${path}`, () => assert.deepEqual(normalPath(target), { ok: true, path, query }));
  }

  for (const target of refused) {
    test(`refuses ${JSON.stringify(target)}`, () => {
      const result = normalPath(target);
      assert.equal(result.ok, false, JSON.stringify(result));
    });
  }

  test('every spelling of /admin is /admin or refused', () => {
    const letter = (char: string): fc.Arbitrary<string> => {
      const hex = char.charCodeAt(0).toString(16);
      return fc.constantFrom(char, `%${hex}`, `%${hex.toUpperCase()}`, `%25${hex}`);
    };
    const slash = fc.constantFrom(
      '/',
      '//',
      '/./',
      '/x/../',
      '/%2e/',
      '/x/%2E%2e/',
      '%2f',
      '\\',
      '/;/',
      '/x/..;/',
    );
    const spelling = fc.tuple(slash, ...'admin'.split('').map(letter)).map((parts) => parts.join(''));
    fc.assert(
      fc.property(spelling, (target) => {
        const result = normalPath(target.startsWith('/') ? target : `/${target}`);
        if (result.ok) assert.equal(result.path, '/admin');
      }),
      { numRuns: 2000 },
    );
  });

  test('a normal path is its own normal form, and holds nothing that could be read twice', () => {
    const piece = fc.constantFrom(
      '/',
      '.',
      '..',
      'a',
      '%2e',
      '%41',
      '%25',
      '%20',
      '25',
      ';',
      '%2F',
      'é',
      '?',
      '%',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const first = normalPath(`/${pieces.join('')}`);
        if (!first.ok) return;
        assert.deepEqual(normalPath(first.path + first.query), first);
        assert.doesNotMatch(first.path, /\/\/|\/\.{1,2}(\/|$)|;|%2f|%5c|[^\x21-\x7e]/i);
      }),
      { numRuns: 3000 },
    );
  });
});

test('property: what is normal at first sight is what its normal form is', () => {
  const pieces = [
    '/',
    '.',
    '..',
    'a',
    '-',
    '%',
    '%61',
    '%2f',
    ';',
    '?',
    '\\',
    '#',
    ' ',
    'é',
    '\u0000',
    '~',
    '=',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (chosen) => {
      for (const target of [chosen.join(''), `/${chosen.join('')}`]) {
        if (!isNormal(target)) continue;
        const found = normalPath(target);
        assert.equal(found.ok && found.path + found.query, target);
      }
    }),
  );
});

test('what nearly all ask for is normal at first sight', () => {
  for (const target of ['/', '/a/b/', '/a-b_c~d.e/f', '/a?x=/../%2f;&y', '/?', '/a..b'])
    assert.equal(isNormal(target), true, target);
});

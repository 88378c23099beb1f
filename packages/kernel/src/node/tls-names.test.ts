import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alternativeNames, NameTable, normalName } from './tls-names.ts';

test('a name is compared in lower case and without the dot at its end', () => {
  assert.equal(normalName('A.Example.COM.'), 'a.example.com');
  assert.equal(normalName('_grpc.svc'), '_grpc.svc');
  assert.equal(normalName(`${'a'.repeat(63)}.x`), `${'a'.repeat(63)}.x`);
});

test('what is no host name in ASCII is none', () => {
  const odd = [
    '',
    '.',
    'a..b',
    '.a',
    'a b',
    'a\0.b',
    'a.b..',
    '*.a',
    'a/b',
    'a:1',
    '-a',
    'a-',
    '127.0.0.1',
    '::1',
  ];
  const unicode = ['a。b', 'bücher.test', '\u212aelvin.test', 'a\u200d.b'];
  for (const name of [...odd, ...unicode, `${'a'.repeat(64)}.x`, 'a.'.repeat(130)]) {
    assert.equal(normalName(name), undefined, JSON.stringify(name));
  }
});

test('a wildcard is for one label; an exact name comes first; the first to claim a name keeps it', () => {
  const table = new NameTable<string>();
  table.add('*.a.test', 'wild');
  table.add('exact.a.test', 'exact');
  table.add('exact.a.test', 'late');
  table.add('*', 'all');
  table.add('x*.b.test', 'partial');
  table.add('*.*.c.test', 'double');
  assert.equal(table.find('x.a.test'), 'wild');
  assert.equal(table.find('X.A.TEST.'), 'wild');
  assert.equal(table.find('exact.A.test'), 'exact');
  for (const none of ['a.test', 'x.y.a.test', 'xy.b.test', 'x.y.c.test', '*.a.test', 'x\0.a.test']) {
    assert.equal(table.find(none), undefined, JSON.stringify(none));
  }
});

test('no text from outside makes a lookup throw, or match what it is not', () => {
  const table = new NameTable<true>();
  table.add('*.a.test', true);
  const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary-ascii' }));
  fc.assert(
    fc.property(anything, (text) => {
      const found = table.find(`${text}.a.test`);
      assert.equal(found === true, /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(text));
    }),
  );
});

test('alternative names are read by kind, and an odd one cannot pass for two', () => {
  const printed =
    'DNS:a.test, URI:spiffe://d/w, IP Address:127.0.0.1, DNS:"evil, DNS:good.test", DNS:"a\\u0000b"';
  const names = alternativeNames(printed);
  assert.deepEqual(names.get('DNS'), ['a.test', 'evil, DNS:good.test', 'a\0b']);
  assert.deepEqual(names.get('URI'), ['spiffe://d/w']);
  assert.equal(alternativeNames(undefined).size, 0);
});

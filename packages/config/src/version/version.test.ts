import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readPlace } from '../place/place.ts';
import { isIn, readAudience } from './audience.ts';
import { nextVersion } from './change.ts';
import { differences } from './difference.ts';
import { checkValues, type Values } from './values.ts';
import { type ConfigVersion, readVersion, versionText } from './version.ts';

const place = readPlace('prod/shop/order');
const signature = { author: 'ada', atMs: 5, comment: 'why' } as const;
const first: ConfigVersion = nextVersion(
  place,
  undefined,
  { action: 'publish', set: { a: 1, b: 'x' } },
  signature,
);

test('a place is three labels, and all that is wrong with one is said at once', () => {
  assert.deepEqual(readPlace('prod/shop/order'), { environment: 'prod', namespace: 'shop', group: 'order' });
  for (const bad of [
    'prod',
    'prod/shop',
    'prod/shop/order/x',
    '',
    'prod//x',
    'prod/-a/x',
    `prod/shop/${'x'.repeat(41)}`,
  ])
    assert.throws(() => readPlace(bad), { reason: 'BAD_PLACE' }, bad);
  assert.throws(() => readPlace('Prod/shop_/x'), { message: /environment: .*namespace: / });
});

test('publishing sets and removes keys, and says what it cannot', () => {
  const next = nextVersion(
    place,
    first,
    { action: 'publish', set: { a: 2, c: [1] }, remove: ['b'] },
    signature,
  );
  assert.deepEqual([next.version, next.values], [2, { a: 2, c: [1] }]);
  const replaced = nextVersion(
    place,
    next,
    { action: 'publish', set: { d: null }, replace: true },
    signature,
  );
  assert.deepEqual(replaced.values, { d: null });
  assert.throws(() => nextVersion(place, first, { action: 'publish', remove: ['zz'] }, signature), {
    reason: 'NO_SUCH_KEY',
  });
  assert.throws(() => nextVersion(place, first, { action: 'publish' }, { ...signature, author: ' ' }), {
    reason: 'BAD_CHANGE',
  });
});

test('a gray release keeps the values for everybody, and ends by promoting or abandoning', () => {
  const gray = nextVersion(
    place,
    first,
    { action: 'gray', audience: { percent: 10 }, set: { a: 9 } },
    signature,
  );
  assert.deepEqual([gray.values, gray.gray?.values], [first.values, { a: 9, b: 'x' }]);
  assert.throws(() => nextVersion(place, gray, { action: 'publish', set: { a: 3 } }, signature), {
    reason: 'GRAY_RELEASE_RUNS',
  });
  assert.throws(() => nextVersion(place, gray, { action: 'rollback', to: first }, signature), {
    reason: 'GRAY_RELEASE_RUNS',
  });
  const wider = nextVersion(
    place,
    gray,
    { action: 'gray', audience: { percent: 50 }, set: { a: 9 } },
    signature,
  );
  assert.equal(wider.version, 3);
  const promoted = nextVersion(place, wider, { action: 'promote' }, signature);
  assert.deepEqual([promoted.values, promoted.gray], [{ a: 9, b: 'x' }, undefined]);
  assert.deepEqual(nextVersion(place, gray, { action: 'abandon' }, signature).values, first.values);
  assert.throws(() => nextVersion(place, first, { action: 'promote' }, signature), {
    reason: 'NO_GRAY_RELEASE',
  });
});

test('values: bad keys, keys inside others, too deep, no JSON, and prototypes are refused, all at once', () => {
  const wrong: unknown[] = [
    [],
    { 'a b': 1 },
    { 'a.': 1 },
    { a: 1, 'a.b': 2 },
    { '__proto__.x': 1 },
    { a: JSON.parse('{"__proto__": {"x": 1}}') },
    { a: undefined },
    { a: Number.NaN },
    { a: 'x'.repeat(201 * 1024) },
    Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`k${at}`, 1])),
  ];
  for (const values of wrong)
    assert.throws(() => checkValues(values), { reason: 'BAD_VALUES' }, JSON.stringify(values)?.slice(0, 60));
  assert.throws(() => checkValues({ 'a b': 1, 'c d': 2 }), { message: /"a b".*"c d"/ });
  let deep: unknown = 1;
  for (let level = 0; level < 40; level++) deep = { a: deep };
  assert.throws(() => checkValues({ deep }), { reason: 'BAD_VALUES' });
});

test('a version reads back as it was written, and nothing else reads', () => {
  assert.deepEqual(readVersion(versionText(first), 'here'), first);
  for (const text of [
    '',
    '{}',
    'null',
    versionText({ ...first, version: 0 }),
    versionText({ ...first, action: 'x' as never }),
  ])
    assert.throws(() => readVersion(text, 'here'), { reason: 'BAD_VERSION', message: /^here: / }, text);
});

test('an audience takes instances and a share; who is in stays in when the share grows, and shares are as large as said', () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `order@10.0.${at >> 8}.${at & 255}:8080`);
  let before = new Set<string>();
  for (const percent of [1, 5, 10, 20, 50, 99, 100]) {
    const now = new Set(names.filter((name) => isIn({ percent }, name, place)));
    for (const name of before) assert.ok(now.has(name));
    assert.ok(Math.abs(now.size - percent * 100) < 200, `${percent} %: ${now.size} of 10,000`);
    before = now;
  }
  assert.equal(before.size, 10_000);
  assert.ok(isIn({ instances: ['a'] }, 'a', place) && !isIn({ instances: ['a'] }, 'b', place));
  const other = readPlace('prod/shop/user');
  const both = names.filter(
    (name) => isIn({ percent: 10 }, name, place) && isIn({ percent: 10 }, name, other),
  );
  assert.ok(both.length < 200, 'another place chooses others');
  for (const bad of [{}, { percent: 101 }, { instances: [] }, { who: 1 }, null])
    assert.throws(() => readAudience(bad), { reason: 'BAD_AUDIENCE' });
});

test('differences, applied to the one state, give the other', () => {
  const key = fc.stringMatching(/^[a-d]$/);
  const values = fc.dictionary(key, fc.jsonValue({ maxDepth: 2 })) as fc.Arbitrary<Values>;
  fc.assert(
    fc.property(values, values, (before, after) => {
      const result: Record<string, unknown> = { ...before };
      for (const one of differences(before, after))
        if ('after' in one) result[one.key] = one.after;
        else delete result[one.key];
      assert.deepEqual(JSON.parse(JSON.stringify(result)), JSON.parse(JSON.stringify(after)));
    }),
  );
});

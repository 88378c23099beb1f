import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Json, type JsonMembers, sameJson, textOf } from './json-value.ts';
import { jsonPatch, writtenPatch } from './json-patch.ts';

/** RFC 6902, as far as these three operations go. */
function patched(before: Json, steps: readonly JsonMembers[]): Json {
  const root = { all: structuredClone(before) };
  for (const { op, path, value } of steps) {
    const names = textOf(path)
      .split('/')
      .slice(1)
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    let at: Record<string, Json> | Json[] = root;
    for (const name of ['all', ...names.slice(0, -1)].slice(0, names.length))
      at = (at as Record<string, Json>)[name] as Record<string, Json> | Json[];
    const last = names.at(-1) ?? 'all';
    if (Array.isArray(at))
      at.splice(Number(last), op === 'add' ? 0 : 1, ...(op === 'remove' ? [] : [value as Json]));
    else if (op === 'remove') {
      assert.ok(last in at, `${textOf(path)} is there`);
      delete at[last];
    } else at[last] = value as Json;
  }
  return root.all;
}

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;

test('a patch makes the one of the other', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      // `__proto__` is a name that a literal gives another meaning.
      fc.pre(!JSON.stringify([before, after]).includes('__proto__'));
      assert.ok(sameJson(patched(before, writtenPatch(jsonPatch(before, after))), after));
    }),
  );
});

test('what is the same is not named, whatever the order of members', () => {
  assert.deepEqual(jsonPatch({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 }), []);
});

test('an item before others is added, not written over them', () => {
  const steps = jsonPatch({ list: [{ name: 'app' }] }, { list: [{ name: 'sidecar' }, { name: 'app' }] });
  assert.deepEqual(writtenPatch(steps), [{ op: 'add', path: '/list/0', value: { name: 'sidecar' } }]);
});

test('names are escaped', () => {
  const [step] = writtenPatch(jsonPatch({ annotations: {} }, { annotations: { 'heddle.dev/a~b': '1' } }));
  assert.equal(step?.['path'], '/annotations/heddle.dev~1a~0b');
});

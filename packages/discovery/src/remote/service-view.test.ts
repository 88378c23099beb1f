import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instance } from '../registry/validate-instance.ts';
import { ServiceView } from './service-view.ts';

const at = (id: string, weight = 1): ReturnType<typeof instance> =>
  instance({ service: 'users', id, address: 'h', port: 1, weight });

function view(...lines: unknown[]): ServiceView {
  const made = new ServiceView('users');
  for (const line of lines) made.apply(line);
  return made;
}

test('changes build on a snapshot', () => {
  const seen = view(
    { kind: 'snapshot', term: 1, revision: 3, instances: [at('b'), at('a')] },
    {
      kind: 'changes',
      term: 1,
      revision: 6,
      changes: [{ id: 'c', instance: at('c') }, { id: 'a' }, { id: 'c', instance: at('c', 9) }],
    },
    { kind: 'alive', term: 1, revision: 8 },
  );
  assert.deepEqual(
    seen.instances.map(({ id, weight }) => [id, weight]),
    [
      ['b', 1],
      ['c', 9],
    ],
  );
  assert.deepEqual(seen.position, { term: 1, revision: 8 });
});

test('what did not change is the same object, also after a resynchronisation, and no news', () => {
  const seen = view({ kind: 'snapshot', term: 1, revision: 1, instances: [at('a'), at('b')] });
  const before = seen.instances;
  const same = {
    kind: 'snapshot',
    term: 2,
    revision: 1,
    instances: [at('a'), { ...at('b'), lastHeartbeatMs: 5 }],
  };
  assert.equal(seen.apply(same), 'nothing');
  assert.ok(seen.instances.every((one, index) => one === before[index]));
  assert.equal(seen.apply({ ...same, revision: 2, instances: [at('a'), at('b', 7)] }), 'news');
  assert.equal(seen.instances[0], before[0]);
  assert.equal(seen.apply({ ...same, revision: 3, instances: [] }), 'news');
  assert.deepEqual(seen.instances, []);
});

test('an empty service is news once', () => {
  const seen = new ServiceView('users');
  const empty = { kind: 'snapshot', term: 1, revision: 1, instances: [] };
  assert.deepEqual([seen.apply(empty), seen.apply({ ...empty, revision: 2 })], ['news', 'nothing']);
});

test('entries that are no instances of the service are left out and counted', () => {
  const bad = [{ ...at('x'), port: 0 }, { ...at('y'), service: 'orders' }, null, 7];
  const seen = view({ kind: 'snapshot', term: 1, revision: 1, instances: [at('a'), ...bad] });
  assert.deepEqual([seen.instances.map(({ id }) => id), seen.refused], [['a'], 4]);
  seen.apply({
    kind: 'changes',
    term: 1,
    revision: 2,
    changes: [{ id: 'a', instance: { ...at('a'), weight: -1 } }],
  });
  assert.deepEqual([seen.instances, seen.refused], [[], 5]);
});

const snapshot = { kind: 'snapshot', term: 5, revision: 5, instances: [at('a')] };
const wrong: readonly (readonly [what: string, lines: readonly unknown[]])[] = [
  ['no object', [3]],
  ['no position', [{ kind: 'snapshot', instances: [] }]],
  ['changes before a snapshot', [{ kind: 'changes', term: 1, revision: 1, changes: [] }]],
  ['a sign of life before a snapshot', [{ kind: 'alive', term: 1, revision: 1 }]],
  ['a step back in revision', [snapshot, { kind: 'alive', term: 5, revision: 4 }]],
  ['a step back in term', [snapshot, { ...snapshot, term: 4, revision: 9 }]],
  ['an unknown kind', [snapshot, { kind: 'other', term: 5, revision: 6 }]],
  ['no list', [{ kind: 'snapshot', term: 1, revision: 1, instances: {} }]],
];

for (const [what, lines] of wrong) {
  test(`${what} is refused and changes nothing`, () => {
    const seen = view(...lines.slice(0, -1));
    const before = [seen.instances, seen.position];
    assert.throws(() => seen.apply(lines.at(-1)), { reason: 'BAD_LINE' });
    assert.deepEqual([seen.instances, seen.position], before);
  });
}

test('no line whatsoever breaks it', () => {
  const line = fc.oneof(
    fc.anything(),
    fc.record({
      kind: fc.constantFrom('snapshot', 'changes', 'alive'),
      term: fc.nat(3),
      revision: fc.nat(3),
      instances: fc.anything(),
      changes: fc.array(fc.anything()),
    }),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const seen = view(snapshot);
      for (const one of lines) {
        try {
          seen.apply(one);
        } catch (error) {
          assert.equal((error as { reason?: string }).reason, 'BAD_LINE');
        }
      }
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type TraceColumns, treeOf, unfolded } from './trace.ts';

function trace(parents: readonly number[]): TraceColumns {
  const id = parents.map((_, at) => `s${at}`);
  return {
    traceId: 't',
    services: ['a'],
    names: ['n'],
    id,
    parent: parents.map((parent) => (parent < 0 ? '' : `s${parent}`)),
    service: parents.map(() => 0),
    name: parents.map(() => 0),
    kind: parents.map(() => 1),
    startUs: parents.map((_, at) => 1000 + at),
    durationUs: parents.map((_, at) => 100 - (at % 7)),
    failed: parents.map(() => 0),
  };
}

const anyTrace = fc
  .array(fc.nat(50), { minLength: 1, maxLength: 50 })
  .map((picks) => trace(picks.map((pick, at) => (at === 0 || pick % 10 === 9 ? -1 : pick % at))));

test('every span is one line, below its caller and one deeper', () => {
  fc.assert(
    fc.property(anyTrace, (given) => {
      const { rows } = treeOf(given);
      assert.deepEqual(
        rows.map(({ at }) => at).toSorted((a, b) => a - b),
        given.id.map((_, at) => at),
      );
      const line = new Map(rows.map((row, at) => [row.id, { ...row, line: at }]));
      for (const row of rows) {
        const parent = line.get(given.parent[row.at] ?? '');
        assert.equal(row.depth, parent === undefined ? 0 : parent.depth + 1);
        if (parent !== undefined) assert.ok(parent.line < (line.get(row.id)?.line ?? -1));
      }
    }),
  );
});

test('folding hides what is below and nothing else', () => {
  const { rows } = treeOf(trace([-1, 0, 1, 1, 0, -1]));
  assert.deepEqual(
    unfolded(rows, new Set(['s1'])).map(({ id }) => id),
    ['s0', 's1', 's4', 's5'],
  );
  assert.deepEqual(
    unfolded(rows, new Set(['s0'])).map(({ id }) => id),
    ['s0', 's5'],
  );
  assert.equal(unfolded(rows, new Set()), rows);
});

test('the critical path goes to the child that ended last', () => {
  const given = { ...trace([-1, 0, 0, 2]), durationUs: [100, 10, 50, 40] };
  assert.deepEqual(
    treeOf(given)
      .rows.filter(({ critical }) => critical)
      .map(({ id }) => id),
    ['s0', 's2', 's3'],
  );
});

test('a chain of fifty thousand spans does not exhaust the stack', () => {
  const { rows, totalUs } = treeOf(trace(Array.from({ length: 50_000 }, (_, at) => at - 1)));
  assert.equal(rows.at(-1)?.depth, 49_999);
  assert.ok(totalUs > 0);
});

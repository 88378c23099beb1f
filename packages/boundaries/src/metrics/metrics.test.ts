import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareAssignments, readReference } from './compare.ts';
import { decompositionMetrics } from './decomposition.ts';
import { adjustedRand, mojofm } from './reference.ts';

function near(found: number | undefined, expected: number): void {
  assert.ok(found !== undefined && Math.abs(found - expected) < 1e-9, `${found} is not ${expected}`);
}

describe('against a reference', () => {
  // By hand: a b c | d e f is the reference. The found a b | c d | e f needs one move (c), and one of three groups to
  // be joined: two operations. The worst needs n - g = 6 - 2 = 4 (two groups of three: g counts 1, 2).
  const reference = ['x', 'x', 'x', 'y', 'y', 'y'];

  test('MoJoFM counts moves and joins', () => {
    near(mojofm(reference, reference), 100);
    near(mojofm([1, 1, 2, 2, 3, 3], reference), 100 * (1 - 2 / 4));
    // All in one: three moves. All apart: four joins, the worst.
    near(mojofm([1, 1, 1, 1, 1, 1], reference), 100 * (1 - 3 / 4));
    near(mojofm([1, 2, 3, 4, 5, 6], reference), 0);
  });

  test('names of the groups do not matter, and the direction does', () => {
    near(mojofm(['y', 'y', 'y', 'x', 'x', 'x'], reference), 100);
    assert.notEqual(mojofm(reference, [1, 2, 3, 4, 5, 6]), mojofm([1, 2, 3, 4, 5, 6], reference));
  });

  test('the adjusted Rand index counts pairs', () => {
    near(adjustedRand(reference, reference), 1);
    // Together in both: ab, ef: 2. In the found 3, in the reference 6, of 15. Expected 3 * 6 / 15 = 1.2.
    near(adjustedRand([1, 1, 2, 2, 3, 3], reference), (2 - 1.2) / ((3 + 6) / 2 - 1.2));
    near(adjustedRand([1, 1, 1, 1, 1, 1], reference), 0);
    near(adjustedRand([1, 1], ['x', 'x']), 1);
  });

  test('partitions of other things are refused', () => {
    assert.throws(() => mojofm([1], [1, 2]), RangeError);
  });
});

describe('metrics of a decomposition', () => {
  // Groups {0,1,2} and {3,4}; calls 0-1 (twice, both ways: one pair), 1-2, 3-4 within, 2-3 across with volume e.
  const groups = Int32Array.of(0, 0, 0, 1, 1);
  const calls = [
    { from: 0, to: 1, volume: 1 },
    { from: 1, to: 0, volume: 1 },
    { from: 1, to: 2, volume: 1 },
    { from: 3, to: 4, volume: 1 },
    { from: 2, to: 3, volume: Math.E },
    { from: 2, to: 2, volume: 100 },
  ];
  const metrics = decompositionMetrics(groups, calls, [[0], [0, 3], [4]]);

  test('SM: 2 of 9 and 1 of 4 within, on the mean, minus 1 of 6 between', () => {
    near(metrics.sm, (2 / 9 + 1 / 4) / 2 - 1 / 6);
  });
  test('ICP: a call of volume e weighs 2, of six in all', () => near(metrics.icp, 2 / 6));
  test('IFN: one connected pair across two groups', () => near(metrics.ifn, 1 / 2));
  test('NED: no group has five to twenty members', () => {
    near(metrics.ned, 1);
    near(decompositionMetrics(Int32Array.of(0, 0, 0, 0, 0, 1), [], []).ned, 1 / 6);
  });
  test('BCP: two use cases touch each group', () => near(metrics.bcp, Math.log(2)));
  test('one group has nothing between, no use case no context', () => {
    const one = decompositionMetrics(Int32Array.of(0, 0), [{ from: 0, to: 1, volume: 1 }], []);
    near(one.sm, 1 / 4);
    near(one.icp, 0);
    assert.equal(one.bcp, undefined);
  });
});

describe('a reference', () => {
  test('in RSF: the last line of a thing holds', () => {
    const found = readReference('contain a X\ncontain b X\ncontain b Y\n');
    assert.deepEqual(
      [...(found ?? [])],
      [
        ['X', 'b'],
        ['Y', 'b'],
      ],
    );
  });
  test('as a table', () => {
    const found = readReference('class full name,class short name,reference decomposition\ns.X,X,a\n');
    assert.deepEqual([...(found ?? [])], [['s.X', 'a']]);
  });
  for (const text of ['', 'contain a', 'what is this', 'a,b\n1,2']) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(readReference(text), undefined));
  }
  test('a nested class is where the class around it is, unless it is placed itself', () => {
    const found = new Map([
      ['p.A', 's'],
      ['p.B', 't'],
      ['p.B$Own', 's'],
    ]);
    const reference = new Map([
      ['A', 'x'],
      ['p.A$In', 'x'],
      ['B', 'y'],
      ['B$Own', 'x'],
      ['C$In', 'y'],
    ]);
    const comparison = compareAssignments(found, reference);
    assert.deepEqual(comparison.unplaced, ['C$In']);
    near(comparison.mojofm, mojofm(['s', 's', 't', 's', 'u'], ['x', 'x', 'y', 'x', 'y']));
    assert.equal(readReference('\uFEFFcontain a X\r\n')?.get('X'), 'a');
  });
  test('short names stand for long ones where they are clear; what is missing is one service', () => {
    const found = new Map([
      ['p.A', 's'],
      ['p.B', 's'],
      ['q.B', 't'],
      ['p.C', 't'],
      ['q.C', 't'],
    ]);
    const reference = new Map([
      ['A', 'x'],
      ['B', 'x'],
      ['C', 'y'],
      ['D', 'y'],
    ]);
    const comparison = compareAssignments(found, reference);
    assert.deepEqual(comparison.unplaced, ['B', 'D']);
    assert.equal(comparison.items, 4);
    near(comparison.mojofm, mojofm(['s', 'u', 't', 'u'], ['x', 'x', 'y', 'y']));
  });
});

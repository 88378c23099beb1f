import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { capabilityOf, type Capability, systemOf, type System } from '../model/system.ts';
import { couplingOf } from './coupling.ts';
import { objectsOf, wordsOf } from './words.ts';

const writes = (...entities: string[]): Capability['entities'] =>
  entities.map((entity) => ({ entity, access: 'write' }));

/** The coupling of a and b by its parts. */
function between(
  capabilities: Capability[],
  more: Partial<System> = {},
): { total: number; parts: Record<string, number>; why: string } {
  const { pairs } = couplingOf(systemOf({ capabilities, ...more }));
  const pair = pairs.find(({ a, b }) => a === 0 && b === 1);
  const parts = Object.fromEntries((pair?.parts ?? []).map(({ criterion, value }) => [criterion, value]));
  return {
    total: pair?.coupling ?? 0,
    parts,
    why: (pair?.parts ?? []).map(({ evidence }) => evidence).join('; '),
  };
}

describe('coupling, by hand', () => {
  test('data: two of four entities are shared', () => {
    const found = between([
      capabilityOf({ name: 'a', entities: writes('X', 'Y', 'Z') }),
      capabilityOf({ name: 'b', entities: writes('X', 'Y', 'W') }),
    ]);
    assert.deepEqual(found.parts, { data: 0.5 });
    assert.equal(found.total, 0.4 * 0.5);
    assert.equal(found.why, 'shared X (both write), Y (both write) of 4 entities');
  });

  test('data: a reader counts half', () => {
    const reads: Capability['entities'] = [{ entity: 'X', access: 'read' }];
    const found = between([
      capabilityOf({ name: 'a', entities: writes('X') }),
      capabilityOf({ name: 'b', entities: reads }),
    ]);
    assert.deepEqual(found.parts, { data: 0.5 });
  });

  test('functional: a declared dependency is 0.8, whichever way', () => {
    const on = capabilityOf({ name: 'a', dependencies: [{ on: 'b' }] });
    const found = between([on, capabilityOf({ name: 'b', dependencies: [{ on: 'a' }] })]);
    assert.deepEqual(found.parts, { functional: 0.8 });
    assert.ok(Math.abs(found.total - 0.32) < 1e-12);
    assert.equal(found.why, 'a depends on b');
  });

  test('functional: calls are counted, by their logarithm', () => {
    const found = between([
      capabilityOf({ name: 'a', dependencies: [{ on: 'b', calls: 10 }] }),
      capabilityOf({ name: 'b', dependencies: [{ on: 'c', calls: 1000 }] }),
      capabilityOf({ name: 'c' }),
    ]);
    assert.ok(Math.abs((found.parts['functional'] ?? 0) - (1 + Math.log(10)) / (1 + Math.log(1000))) < 1e-12);
  });

  test('functional: operations are alike by what they are about, not by their verbs', () => {
    const found = between([
      capabilityOf({ name: 'a', operations: ['create_order', 'update_order_item'] }),
      capabilityOf({ name: 'b', operations: ['CancelOrder', 'list refunds'] }),
    ]);
    // order of order, item, refund.
    assert.deepEqual(found.parts, { functional: 1 / 3 });
    const verbs = between([
      capabilityOf({ name: 'a', operations: ['create'] }),
      capabilityOf({ name: 'b', operations: ['create'] }),
    ]);
    assert.deepEqual(verbs.parts, {});
  });

  test('team: the same is 1, another is nothing', () => {
    const found = between([capabilityOf({ name: 'a', team: 't' }), capabilityOf({ name: 'b', team: 't' })]);
    assert.equal(found.total, 0.2);
    const other = between([capabilityOf({ name: 'a', team: 't' }), capabilityOf({ name: 'b', team: 'u' })]);
    assert.equal(other.total, 0);
  });

  test('temporal: used together in two of the three times that either is used', () => {
    const useCase = { reads: [], writes: [], calls: [] };
    const found = between([capabilityOf({ name: 'a' }), capabilityOf({ name: 'b' })], {
      useCases: [
        { name: 'both', rate: 2, capabilities: ['a', 'b'], ...useCase },
        { name: 'one', rate: 1, capabilities: ['a'], ...useCase },
      ],
    });
    assert.ok(Math.abs((found.parts['temporal'] ?? 0) - 2 / 3) < 1e-12);
    // The weights that count: data, functional and team always, temporal since there is evidence.
    assert.ok(Math.abs(found.total - (0.2 * (2 / 3)) / 1.2) < 1e-12);
  });

  test('spatial: run together, or an answer that cannot wait', () => {
    const same = between([
      capabilityOf({ name: 'a', deployment: 'p' }),
      capabilityOf({ name: 'b', deployment: 'p' }),
    ]);
    assert.deepEqual(same.parts, { spatial: 1 });
    const fast = between([
      capabilityOf({ name: 'a', dependencies: [{ on: 'b', latencyBudgetMs: 10 }] }),
      capabilityOf({ name: 'b' }),
    ]);
    assert.equal(fast.parts['spatial'], 0.5);
  });

  test('a crowd makes no pairs by itself, and strengthens those that are there', () => {
    const crowd = Array.from({ length: 70 }, (_, at) =>
      capabilityOf({ name: `n${at}`, team: 't', entities: writes('E') }),
    );
    const [first, second, ...rest] = crowd as [Capability, Capability, ...Capability[]];
    const { pairs } = couplingOf(
      systemOf({ capabilities: [{ ...first, dependencies: [{ on: second.name }] }, second, ...rest] }),
    );
    assert.equal(pairs.length, 1);
    assert.deepEqual(
      pairs[0]?.parts.map(({ criterion }) => criterion),
      ['functional', 'team'],
    );
  });

  test('vocabulary counts for the four nearest only', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const relations = names.flatMap((a, at) =>
      names
        .slice(at + 1)
        .map((b, index) => ({ criterion: 'vocabulary', a, b, value: 1 / (index + 2), evidence: 'alike' })),
    );
    const { pairs } = couplingOf(
      systemOf({ capabilities: names.map((name) => capabilityOf({ name })), relations }),
    );
    const farthest = pairs.find(({ a, b }) => a === 0 && b === 7);
    assert.equal(farthest, undefined);
    assert.ok(pairs.length < relations.length);
  });
});

test('words of names in all styles', () => {
  assert.deepEqual(wordsOf('updateOrderItem'), ['update', 'order', 'item']);
  assert.deepEqual(wordsOf('HTTPServer_v2'), ['http', 'server', 'v2']);
  assert.deepEqual(wordsOf('обновитьЗаказ'), ['обновить', 'заказ']);
  assert.deepEqual(wordsOf('ÄndereÖlPreis'), ['ändere', 'öl', 'preis']);
  assert.deepEqual([...objectsOf(['create_orders', 'getAddress'])], ['order', 'address']);
});

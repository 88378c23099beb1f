import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, type Span } from '@heddle/kernel';
import { simulatedRuntime } from '@heddle/kernel/simulated';
import { tracedSql } from './statement-span.ts';
import type { Sql } from './sql.ts';

const statements: Sql = {
  query: async () => [],
  execute: async (text) => {
    if (text.includes('broken')) throw new Error('no such table');
    return 1;
  },
};

function traced(): { readonly sql: Sql; readonly call: Call; readonly spans: Span[] } {
  const spans: Span[] = [];
  const sink = { sampleRatio: 1, slowMs: 1000, take: (span: Span) => void spans.push(span) };
  const call = Call.root({ ...simulatedRuntime(), spans: sink });
  return { sql: tracedSql(statements, call), call, spans };
}

test('a statement is a span that is named by what it does, without its values', async () => {
  const { sql, spans } = traced();
  await sql.query('SELECT *\n  FROM shop.orders WHERE id = $1', ['secret-7']);
  await sql.execute('INSERT INTO orders (id) VALUES ($1)', ['secret-8']);
  await sql.execute('-- why\nUPDATE ONLY "orders" SET x = 1');
  await sql.execute('VACUUM');
  assert.deepEqual(
    spans.map(({ name, kind }) => `${kind} ${name}`),
    ['client SELECT shop.orders', 'client INSERT orders', 'client UPDATE orders', 'client VACUUM'],
  );
  assert.equal(spans[0]?.attributes['db.query.text'], 'SELECT * FROM shop.orders WHERE id = $1');
  assert.doesNotMatch(JSON.stringify(spans), /secret/);
  assert.equal(new Set(spans.map(({ trace }) => trace.traceId)).size, 4);
});

test('a statement that fails is a failed span, and its error goes on', async () => {
  const { sql, spans } = traced();
  await assert.rejects(sql.execute('DELETE FROM broken'), /no such table/);
  assert.deepEqual(
    spans.map(({ name, failed }) => [name, failed]),
    [['DELETE broken', true]],
  );
});

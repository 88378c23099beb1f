import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTracesJson } from './decode-json.ts';

test('ids are hex digits that are not all zero, in either case; other spans are rejected one by one', () => {
  const span = (traceId: string, spanId: string): object => ({ traceId, spanId, name: 'work' });
  const good = span('0123456789ABCDEF'.repeat(2), 'a'.repeat(16));
  const bad = [
    span('g'.repeat(32), 'a'.repeat(16)),
    span('a'.repeat(32), '0'.repeat(15).concat('-')),
    span('0'.repeat(32), 'a'.repeat(16)),
    span('a'.repeat(31), 'a'.repeat(16)),
    span('a'.repeat(32), '/'.repeat(16)),
  ];
  const scopeSpans = [{ spans: [...bad, good] }];
  const { items, rejected, why } = decodeTracesJson(JSON.stringify({ resourceSpans: [{ scopeSpans }] }));
  assert.deepEqual(
    items.map(({ traceId }) => traceId),
    ['0123456789abcdef'.repeat(2)],
  );
  assert.equal(rejected, bad.length);
  assert.match(why, /trace_id/);
});

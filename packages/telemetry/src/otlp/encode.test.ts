import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Span } from '@heddle/kernel';
import { decodeTraces } from './decode-traces.ts';
import { encodeTraces } from './encode.ts';

const good: Span = {
  name: 'good',
  kind: 'client',
  trace: { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), sampled: true },
  parentSpanId: undefined,
  startWallMs: 1,
  durationMs: 1,
  error: undefined,
  failed: false,
  attributes: {},
};
// What an older program has written down may lack what the types say it has.
const broken: Span = { ...good, name: 'broken', trace: JSON.parse('{"sampled":true}') as Span['trace'] };

test('a span that cannot be written is told, and the others are written', () => {
  const errors: unknown[] = [];
  const bytes = encodeTraces({}, [good, broken, good], (error) => errors.push(error));
  assert.deepEqual(
    decodeTraces(bytes).items.map(({ name }) => name),
    ['good', 'good'],
  );
  assert.equal(errors.length, 1);
});

test('without anyone to tell it is an error, and the next request is whole', () => {
  assert.throws(() => encodeTraces({}, [good, broken]), TypeError);
  assert.equal(decodeTraces(encodeTraces({}, [good])).items.length, 1);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Random } from './ports/random.ts';
import { seededRandom } from './simulated/index.ts';
import { childSpan, startTrace } from './trace-ids.ts';

test('a trace has the ids that W3C asks for', () => {
  const random = seededRandom(1);
  for (let n = 0; n < 1000; n++) {
    const { traceId, spanId, sampled } = startTrace(random, n % 2 === 0);
    assert.match(traceId, /^[0-9a-f]{32}$/);
    assert.match(spanId, /^[0-9a-f]{16}$/);
    assert.equal(sampled, n % 2 === 0);
  }
});

test('a span id of zeros only is none, so there is none', () => {
  const zeros: Random = { ...seededRandom(1), uint32: () => 0 };
  assert.equal(startTrace(zeros, false).spanId, `${'0'.repeat(15)}1`);
});

test('a child keeps all of the trace but the span', () => {
  const random = seededRandom(2);
  const { traceId, spanId } = startTrace(random, true);
  const parent = { traceId, spanId, sampled: true, state: 'v=1' };
  const child = childSpan(parent, random);
  assert.notEqual(child.spanId, parent.spanId);
  assert.deepEqual({ ...child, spanId: '' }, { ...parent, spanId: '' });
});

test('a trace that is written down as JSON is read back with its ids', () => {
  for (const undecided of [undefined, true] as const) {
    const { traceId, spanId, ...begun } = startTrace(seededRandom(3), true, undecided);
    const read: unknown = JSON.parse(JSON.stringify(startTrace(seededRandom(3), true, undecided)));
    assert.deepEqual(read, {
      traceId,
      spanId,
      sampled: begun.sampled,
      ...(undecided && { undecided }),
    });
    assert.match(traceId, /^[0-9a-f]{32}$/);
  }
});

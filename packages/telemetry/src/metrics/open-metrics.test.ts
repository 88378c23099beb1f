import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, openSpan, traceContext } from '@heddle/kernel';
import { simulatedRuntime } from '@heddle/kernel/simulated';
import { decodeMetrics } from '../otlp/decode-metrics.ts';
import { encodeMetrics } from '../otlp/encode-metrics.ts';
import { observeIn } from './exemplar.ts';
import { exposeOpenMetrics } from './exposition.ts';
import { MetricRegistry } from './registry.ts';

function filled(): MetricRegistry {
  const registry = new MetricRegistry();
  registry
    .counter({ name: 'orders_total', help: 'Orders.', labels: ['state'] })
    .series('paid')
    .inc(3);
  registry.gauge({ name: 'depth', help: 'Say "how deep".' }).series().set(-2.5);
  const seconds = registry.histogram({ name: 'wait_seconds', help: 'Waits.', buckets: [0.1, 1] }).series();
  for (const value of [0.05, 0.5, 0.5, 7]) seconds.observe(value);
  return registry;
}

test('OpenMetrics has families, samples and an end, as its specification has them', () => {
  assert.equal(
    exposeOpenMetrics(filled()),
    `# TYPE orders counter
# HELP orders Orders.
orders_total{state="paid"} 3
# TYPE depth gauge
# HELP depth Say \\"how deep\\".
depth -2.5
# TYPE wait_seconds histogram
# HELP wait_seconds Waits.
wait_seconds_bucket{le="0.1"} 1
wait_seconds_bucket{le="1.0"} 3
wait_seconds_bucket{le="+Inf"} 4
wait_seconds_sum 8.05
wait_seconds_count 4
# EOF
`,
  );
});

test('a duration of a trace that is kept is an exemplar of its bucket; others are not', () => {
  const registry = new MetricRegistry();
  const seconds = registry.histogram({ name: 'wait_seconds', help: 'Waits.', buckets: [0.1, 1] }).series();
  const calls = [1, 0].map((sampleRatio) => {
    const call = Call.root({ ...simulatedRuntime(), spans: { sampleRatio, slowMs: 1000, take: () => {} } });
    openSpan(call, { kind: 'server' });
    observeIn(call, seconds, 0.5);
    return call;
  });
  const kept = calls[0]?.get(traceContext);
  const lines = exposeOpenMetrics(registry)
    .split('\n')
    .filter((line) => line.includes('trace_id'));
  assert.deepEqual(lines, [
    `wait_seconds_bucket{le="1.0"} 2 # {trace_id="${kept?.traceId}",span_id="${kept?.spanId}"} 0.5 1767225600.000`,
  ]);
});

test('a registry that is sent by OTLP is received as it is exposed', () => {
  const bytes = encodeMetrics({ 'service.name': 'order' }, filled(), { startMs: 1000, nowMs: 61_000 });
  const { items, rejected } = decodeMetrics(bytes);
  assert.equal(rejected, 0);
  const shown = items.map(({ labels: { __name__: name, job, ...labels }, timeMs, value }) => {
    return `${job} ${name} ${JSON.stringify(labels)} ${value} at ${timeMs}`;
  });
  assert.deepEqual(shown, [
    'order orders_total {"state":"paid"} 3 at 61000',
    'order depth {} -2.5 at 61000',
    'order wait_seconds_bucket {"le":"0.1"} 1 at 61000',
    'order wait_seconds_bucket {"le":"1"} 3 at 61000',
    'order wait_seconds_bucket {"le":"+Inf"} 4 at 61000',
    'order wait_seconds_sum {} 8.05 at 61000',
    'order wait_seconds_count {} 4 at 61000',
  ]);
});

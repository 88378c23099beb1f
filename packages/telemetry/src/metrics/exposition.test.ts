import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expose, MetricRegistry, parseExposition } from '../index.ts';

test('counters, gauges and histograms as Prometheus writes them', () => {
  const registry = new MetricRegistry();
  registry
    .counter({ name: 'c_total', help: 'Back\\slash\nand line.', labels: ['l'] })
    .series('a"b\\c\nd')
    .inc(3);
  registry.gauge({ name: 'g', help: 'G.' }).series().set(-1.5);
  const times = registry
    .histogram({ name: 'h_seconds', help: 'H.', labels: ['l'], buckets: [0.1, 1] })
    .series('x');
  for (const value of [0.05, 0.1, 0.5, 7]) times.observe(value);
  assert.equal(
    expose(registry),
    [
      '# HELP c_total Back\\\\slash\\nand line.',
      '# TYPE c_total counter',
      'c_total{l="a\\"b\\\\c\\nd"} 3',
      '# HELP g G.',
      '# TYPE g gauge',
      'g -1.5',
      '# HELP h_seconds H.',
      '# TYPE h_seconds histogram',
      'h_seconds_bucket{l="x",le="0.1"} 2',
      'h_seconds_bucket{l="x",le="1"} 3',
      'h_seconds_bucket{l="x",le="+Inf"} 4',
      'h_seconds_sum{l="x"} 7.65',
      'h_seconds_count{l="x"} 4',
      '',
    ].join('\n'),
  );
});

test('what is written is read back, for any label value and number', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.double(), (label, any) => {
      // The format has one zero.
      const value = any === 0 ? 0 : any;
      const registry = new MetricRegistry();
      registry
        .gauge({ name: 'g', help: '', labels: ['l', 'm'] })
        .series(label, '}')
        .set(value);
      assert.deepEqual(parseExposition(expose(registry)), [
        { name: 'g', labels: { l: label, m: '}' }, value },
      ]);
    }),
  );
});

test('counters never fall, and drop what is no amount', () => {
  const counter = new MetricRegistry().counter({ name: 'c_total', help: '' }).series();
  counter.inc(2);
  for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY]) counter.inc(wrong);
  counter.advanceTo(1);
  assert.equal(counter.value, 2);
  counter.advanceTo(5);
  assert.equal(counter.value, 5);
});

test('bucket counts are those of a plain count', () => {
  const bounds = [0.01, 0.5, 2];
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: 0, max: 5 })), (values) => {
      const histogram = new MetricRegistry().histogram({ name: 'h', help: '', buckets: bounds }).series();
      for (const value of values) histogram.observe(value);
      const below = (bound: number): number => values.filter((value) => value <= bound).length;
      let total = 0;
      const cumulative = [...histogram.counts].map((count) => (total += count));
      assert.deepEqual(cumulative, [...bounds.map(below), values.length]);
    }),
  );
});

for (const wrong of ['1a 2', 'a', 'a{l=x} 1', 'a{l="x} 1', 'a 1 x', 'a{l="x",,} 1', 'a one', '{l="x"} 1']) {
  test(`refuses ${wrong}`, () => {
    assert.throws(() => parseExposition(`# fine\n${wrong}\n`), {
      reason: 'EXPOSITION_SYNTAX',
      message: /line 2/,
    });
  });
}

test('reads timestamps, special numbers and blank lines', () => {
  const text = '\n  \na 1 1700000000000\nb{} +Inf\nc{x="1",} NaN\n';
  assert.deepEqual(parseExposition(text), [
    { name: 'a', labels: {}, value: 1 },
    { name: 'b', labels: {}, value: Number.POSITIVE_INFINITY },
    { name: 'c', labels: { x: '1' }, value: Number.NaN },
  ]);
});

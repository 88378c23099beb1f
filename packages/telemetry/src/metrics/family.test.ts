import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expose, MetricRegistry, parseExposition } from '../index.ts';

test('the same label values give the same handle, others another', () => {
  const requests = new MetricRegistry().counter({ name: 'a_total', help: 'A.', labels: ['x', 'y'] });
  const one = requests.series('1', '2');
  assert.equal(requests.series('1', '2'), one);
  assert.notEqual(requests.series('2', '1'), one);
  assert.notEqual(requests.series('12', ''), requests.series('1', '2'));
});

test('a label that explodes is counted under "other", and the overflow is reported', () => {
  const registry = new MetricRegistry();
  const hits = registry.counter({
    name: 'hits_total',
    help: 'H.',
    labels: ['method', 'path'],
    maxLabelValues: 3,
  });
  for (let at = 0; at < 100; at++) hits.series('GET', `/${at}`).inc();
  const samples = parseExposition(expose(registry));
  const own = samples.filter((sample) => sample.name === 'hits_total');
  assert.deepEqual(
    own.map(({ labels, value }) => [labels['path'], value]),
    [
      ['/0', 1],
      ['/1', 1],
      ['/2', 1],
      ['other', 97],
    ],
  );
  const capped = samples.find((sample) => sample.name === 'telemetry_capped_labels_total');
  assert.deepEqual(capped?.labels, { metric: 'hits_total', label: 'path' });
  assert.equal(capped?.value, 97);
});

test('labels that multiply are bounded too', () => {
  const registry = new MetricRegistry();
  const hits = registry.counter({ name: 'hits_total', help: 'H.', labels: ['a', 'b'] });
  for (let a = 0; a < 150; a++) for (let b = 0; b < 150; b++) hits.series(`${a}`, `${b}`).inc();
  assert.ok(hits.all.length < 150 * 150, 'not every combination got a series');
  const total = hits.all.reduce((sum, { handle }) => sum + handle.value, 0);
  assert.equal(total, 150 * 150, 'nothing is lost');
});

test('whatever the labels, the counts add up', () => {
  const value = fc.oneof(fc.string(), fc.constantFrom('a', 'b', 'other', ''));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(value, value), { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      (pairs, max) => {
        const registry = new MetricRegistry();
        const family = registry.counter({
          name: 'n_total',
          help: 'N.',
          labels: ['a', 'b'],
          maxLabelValues: max,
        });
        for (const [a, b] of pairs) family.series(a, b).inc();
        const sum = parseExposition(expose(registry)).filter((sample) => sample.name === 'n_total');
        assert.equal(
          sum.reduce((total, sample) => total + sample.value, 0),
          pairs.length,
        );
        const keys = new Set(sum.map((sample) => JSON.stringify(sample.labels)));
        assert.equal(keys.size, sum.length, 'no series is written twice');
      },
    ),
  );
});

test('names and label counts are checked', () => {
  const registry = new MetricRegistry();
  assert.throws(() => registry.counter({ name: '1a', help: '' }), { reason: 'METRIC_NAME' });
  assert.throws(() => registry.counter({ name: 'a', help: '', labels: ['le'] }), {
    reason: 'METRIC_LABEL_NAME',
  });
  const family = registry.counter({ name: 'a', help: '', labels: ['x'] });
  assert.throws(() => registry.gauge({ name: 'a', help: '' }), { reason: 'METRIC_TWICE' });
  assert.throws(() => family.series('1', '2'), { reason: 'METRIC_LABELS' });
  assert.throws(() => family.series(), { reason: 'METRIC_LABELS' });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { defaultRules } from './default-rules.ts';
import { readRules } from './rule-document.ts';

const document = `groups:
  - name: shop
    interval: 30s
    limit: 10
    labels: {team: shop}
    rules:
      - record: job:requests:rate1m
        expr: sum by (job) (rate(http_requests_total[1m]))
      - alert: TooSlow
        expr: job:latency > 2
        for: 10m
        keep_firing_for: 5m
        labels: {severity: warning}
        annotations: {summary: '{{ $labels.job }} takes {{ $value | humanizeDuration }}'}
`;

test('a document of rules is read', () => {
  const [group] = readRules('shop.yml', document);
  assert.ok(group);
  assert.deepEqual([group.name, group.everyMs, group.limit], ['shop', 30_000, 10]);
  const [record, alert] = group.rules;
  assert.deepEqual(record?.kind === 'record' && record.labels, { team: 'shop' });
  assert.ok(alert?.kind === 'alert');
  assert.deepEqual([alert.forMs, alert.keepFiringMs], [600_000, 300_000]);
  assert.equal(alert.labels['team']?.text, 'shop');
  const data = { labels: { job: 'order' }, value: 75 };
  assert.equal(alert.annotations['summary']?.render(data), 'order takes 1m 15s');
});

test('the default rules are a document like any other', () => {
  const [group] = readRules('defaults', defaultRules);
  const all = group?.rules.map((rule) => rule.kind === 'alert' && [rule.name, rule.forMs / 60_000]);
  assert.deepEqual(all, [
    ['HighErrorRate', 5],
    ['HighResponseTime', 10],
    ['HighMemoryUsage', 5],
  ]);
});

test('all that is wrong is told at once, with line and column', () => {
  const wrong = `groups:
  - name: a
    intervall: 5s
    rules:
      - alert: One
        expr: rate(x)
        for: 5
        annotations: {summary: '{{ $value | shout }}'}
      - record: b
        alert: c
        expr: x
      - record: not-a-name
        expr: x[5m]
  - name: a
`;
  assert.throws(
    () => readRules('wrong.yml', wrong),
    (thrown) => {
      assert.ok(thrown instanceof HeddleError);
      assert.equal(thrown.reason, 'BAD_RULES');
      const lines = thrown.message
        .split('\n')
        .slice(1)
        .map((line) => line.trim());
      const places = lines.map((line) => /^wrong\.yml:(\d+:\d+)/.exec(line)?.[1]);
      assert.deepEqual(places, ['3:5', '6:15', '7:14', '8:32', '9:9', '12:17', '13:15', '14:11']);
      assert.match(thrown.message, /unknown key "intervall"/);
      assert.match(thrown.message, /expected a duration such as 30s/);
      assert.match(thrown.message, /found "shout"/);
      assert.match(thrown.message, /either "alert" or "record"/);
      return true;
    },
  );
});

test('what is no YAML is told with its place', () => {
  assert.throws(() => readRules('x.yml', 'groups: ['), /x\.yml:1:\d+/);
  assert.throws(() => readRules('x.yml', 'hello'), /expected an object, found "hello"/);
});

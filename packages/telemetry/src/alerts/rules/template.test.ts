import assert from 'node:assert/strict';
import { test } from 'node:test';
import { template } from './template.ts';

const data = { labels: { job: 'order', instance: '10.0.0.1:80' }, value: 0.0625 };

// Each answer is what Prometheus 2.42 gives for the same template.
const cases: readonly (readonly [text: string, value: number, shown: string])[] = [
  ['{{ $value }}', 0.0625, '0.0625'],
  ['{{ $labels.job }} and {{$labels.missing}}.', 1, 'order and .'],
  ['{{ $value | humanizePercentage }}', 0.0625, '6.25%'],
  ['{{ humanizePercentage $value }}', 0.1234567, '12.35%'],
  ['{{ $value | humanize }}', 1_234_567, '1.235M'],
  ['{{ $value | humanize }}', 0.00123, '1.23m'],
  ['{{ $value | humanize1024 }}', 1_048_576, '1Mi'],
  ['{{ $value | humanizeDuration }}', 93_784, '1d 2h 3m 4s'],
  ['{{ $value | humanizeDuration }}', 2.5, '2.5s'],
  ['{{ $value | humanizeDuration }}', 0.0123, '12.3ms'],
  ['{{ printf "%.2f" $value }} s', 3.14159, '3.14 s'],
  ['{{ $value | printf "%.1f%%" }}', 12.34, '12.3%'],
  ['{{ $labels.job | toUpper }}', 1, 'ORDER'],
  ['{{ index $labels "instance" }}', 1, '10.0.0.1:80'],
  ['{{- $value -}}', Number.POSITIVE_INFINITY, '+Inf'],
];

for (const [text, value, shown] of cases)
  test(`${text} of ${value} is ${shown}`, () => {
    assert.equal(template(text).render({ ...data, value }), shown);
  });

for (const text of [
  '{{ $value',
  '{{ range query "up" }}',
  '{{ $value | shout }}',
  '{{ printf "%x" $value }}',
])
  test(`${text} is refused when it is read`, () => {
    assert.throws(() => template(text), /in the template, found/);
  });

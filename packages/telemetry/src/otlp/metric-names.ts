import type { AttributeValue } from './signal.ts';

const units: Readonly<Record<string, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  By: 'bytes',
  '1': 'ratio',
};

/** Prometheus' name of a metric: legal characters, its unit at the end, and `_total` for what only grows. */
export function metricName(name: string, unit: string, monotonic: boolean): string {
  const plain = name.replaceAll(/[^a-zA-Z0-9_:]/g, '_').replace(/^(?=\d)/, '_');
  const suffix = unit === '1' && monotonic ? undefined : units[unit];
  const withUnit = suffix === undefined || plain.endsWith(suffix) ? plain : `${plain}_${suffix}`;
  return monotonic && !withUnit.endsWith('_total') ? `${withUnit}_total` : withUnit;
}

/** Prometheus' name of an attribute. */
export function labelName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
}

/** An attribute's value as a label has it. */
export function labelText(value: AttributeValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

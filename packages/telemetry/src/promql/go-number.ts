import type { NativeHistogram } from './native-histogram.ts';

/** As Prometheus prints a histogram: its count, its sum and its buckets. */
export function histogramText(histogram: NativeHistogram): string {
  const { count, sum: total, buckets } = histogram;
  const shown = buckets.map(({ lower, upper, count: inside }) => {
    const [open, close] = lower < 0 && upper <= 0 && !histogram.custom ? ['[', ')'] : ['(', ']'];
    const zero = lower === -upper;
    return `, ${zero ? '[' : open}${goNumber(lower)},${goNumber(upper)}${zero ? ']' : close}:${goNumber(inside)}`;
  });
  return `{count:${goNumber(count)}, sum:${goNumber(total)}${shown.join('')}}`;
}

/** A number as Go prints it, in the shortest form that reads back the same. */
export function goNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  if (Object.is(value, -0)) return '-0';
  const text = String(value);
  const [, digits, sign, exponent] = /^(.*)e([+-])(\d+)$/.exec(text) ?? [];
  if (digits === undefined) {
    const magnitude = Math.abs(value);
    if (value === 0 || (magnitude >= 1e-4 && magnitude < 1e21)) return text;
    const short = value.toExponential();
    return short.replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return `${digits}e${sign}${(exponent ?? '').padStart(2, '0')}`;
}

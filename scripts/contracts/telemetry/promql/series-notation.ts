// The notation for series and their samples of Prometheus' tests: `metric{a="b"} 0+10x5 _ stale {{count:1 sum:2}}`.
import {
  Labels,
  NativeHistogram,
  type NativeHistogramInit,
  type ResetHint,
  type Value,
} from '@heddle/telemetry';

/** A sample of a series: `_` is none, `stale` ends the series. */
export type Sample = Value | 'none' | 'stale';

/** A series and what follows it in the line. */
export interface NotedSeries {
  readonly labels: Labels;
  readonly rest: string;
}

/** Reads `metric{label="value", …}` at the beginning of a line; undefined if there is none (a plain number). */
export function seriesIn(line: string): NotedSeries | undefined {
  const [whole, name = '', , body] =
    /^([a-zA-Z_:][\w:]*)?(\{((?:[^}"'`]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)*)\})?/.exec(line) ?? [
      '',
    ];
  if (whole === '' || /^([+-]?inf|nan)$/i.test(whole)) return undefined;
  const labels: [string, string][] = name === '' ? [] : [['__name__', name]];
  const pair =
    /(?:([a-zA-Z_][\w.]*)|("(?:[^"\\]|\\.)*"))\s*(?:=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`))?/g;
  for (const [, plain, quoted, value] of (body ?? '').matchAll(pair)) {
    const label = plain ?? unquoted(quoted as string);
    if (value === undefined) labels.push(['__name__', label]);
    else labels.push([label, unquoted(value)]);
  }
  return { labels: Labels.ofPairs(labels), rest: line.slice(whole.length).trim() };
}

function unquoted(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  return text
    .slice(1, -1)
    .replaceAll(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    .replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}

/** Reads samples one after another. */
export function samplesIn(text: string): readonly Sample[] {
  const samples: Sample[] = [];
  for (const [item] of text.matchAll(/\{\{.*?\}\}(?:[+-]\{\{.*?\}\})?(?:x\d+)?|\S+/g))
    samples.push(...itemSamples(item));
  return samples;
}

function itemSamples(item: string): readonly Sample[] {
  const [, omitted] = /^_(?:x(\d+))?$/.exec(item) ?? [];
  if (item.startsWith('_')) return Array.from({ length: Number(omitted ?? 1) }, () => 'none' as const);
  if (item === 'stale') return ['stale'];
  if (item.startsWith('{{')) return histograms(item);
  const [, first = '', , by, times] =
    /^([+-]?(?:\d+\.?\d*|\.\d+|inf|nan)(?:e[+-]?\d+)?)(([+-](?:\d+\.?\d*|\.\d+|inf)(?:e[+-]?\d+)?)?x(\d+))?$/i.exec(
      item,
    ) ?? [];
  if (first === '') throw new Error(`a sample that cannot be read: ${item}`);
  const step = by === undefined ? 0 : Number(by);
  return Array.from(
    { length: Number(times ?? 0) + 1 },
    (_, at) => numberIn(first) + (at === 0 ? 0 : at * step),
  );
}

/** A number of Go. */
export function numberIn(text: string): number {
  const [, sign, rest = ''] = /^([+-]?)(.*)$/.exec(text) ?? [];
  const value = /^inf$/i.test(rest)
    ? Number.POSITIVE_INFINITY
    : /^nan$/i.test(rest)
      ? Number.NaN
      : Number(rest);
  return sign === '-' ? -value : value;
}

function histograms(item: string): readonly NativeHistogram[] {
  const [, first = '', sign, by, times] =
    /^\{\{(.*?)\}\}(?:([+-])\{\{(.*?)\}\})?(?:x(\d+))?$/.exec(item) ?? [];
  let value = histogramOf(first);
  const all = [value];
  const step = by === undefined ? undefined : histogramOf(by);
  for (let at = 0; at < Number(times ?? 0); at++) {
    if (step !== undefined) {
      const { hint } = value;
      const next = sign === '-' ? value.minus(step) : value.plus(step);
      if (next === undefined) throw new Error(`histograms that cannot be added: ${item}`);
      value = next.withHint(hint);
    }
    all.push(value);
  }
  return all;
}

function histogramOf(text: string): NativeHistogram {
  const given = new Map(
    [...text.matchAll(/(\w+):(\[[^\]]*\]|\S+)/g)].map(([, key, value]) => [key as string, value as string]),
  );
  const number = (key: string): number => numberIn(given.get(key) ?? '0');
  const list = (key: string): number[] =>
    (given.get(key) ?? '[]')
      .slice(1, -1)
      .split(/\s+/)
      .filter((each) => each !== '')
      .map(numberIn);
  const buckets = (key: string, offset: number): Map<number, number> =>
    new Map(list(key).map((count, at) => [at + offset, count]));
  const init: NativeHistogramInit = {
    schema: number('schema'),
    count: number('count'),
    sum: number('sum'),
    zeroThreshold: number('z_bucket_w'),
    zeroCount: number('z_bucket'),
    positive: buckets('buckets', number('offset')),
    negative: buckets('n_buckets', number('n_offset')),
    bounds: list('custom_values'),
    hint: hintOf(given.get('counter_reset_hint')),
  };
  return new NativeHistogram(init);
}

function hintOf(text: string | undefined): ResetHint {
  return text === 'gauge' || text === 'reset' || text === 'not_reset' ? text : 'unknown';
}

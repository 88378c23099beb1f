// Prometheus' tests as they are written: `load` blocks with series, `eval` statements with what is expected of them.
import {
  type Labels,
  NativeHistogram,
  type SeriesData,
  type SeriesSource,
  type Value,
} from '@heddle/telemetry';
import { numberIn, samplesIn, type Sample, seriesIn } from './series-notation.ts';

/** An `eval` statement, with the series that are loaded when it is reached. */
export interface Evaluation {
  readonly line: number;
  readonly source: SeriesSource;
  readonly expression: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0: at one moment. */
  readonly stepMs: number;
  /** The lines below it. */
  readonly expected: readonly string[];
  /** By the statement itself, in its older form. */
  readonly fails: boolean;
}

/** All `eval` statements of a file. */
export function evaluationsIn(text: string): readonly Evaluation[] {
  const lines = text.split('\n');
  const found: Evaluation[] = [];
  let storage = new Storage();
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] as string).trim();
    if (line === '' || line.startsWith('#')) continue;
    if (line === 'clear') {
      storage = new Storage();
      continue;
    }
    const body: string[] = [];
    while (at + 1 < lines.length && (lines[at + 1] as string).trim() !== '') {
      const next = (lines[++at] as string).trim();
      if (!next.startsWith('#')) body.push(next);
    }
    const line1 = at - body.length + 1;
    const [, kind, step] = /^(load|load_with_nhcb)\s+(\S+)$/.exec(line) ?? [];
    if (kind !== undefined && step !== undefined) storage = storage.with(body, spanMs(step), kind !== 'load');
    else found.push({ ...statement(line), line: line1, source: storage, expected: body });
  }
  return found;
}

function statement(line: string): Pick<Evaluation, 'expression' | 'startMs' | 'endMs' | 'stepMs' | 'fails'> {
  const [, fail, at, from, to, step, expression = ''] =
    /^eval(_fail|_ordered|_warn|_info)?\s+(?:instant(?:\s+at\s+(\S+))?|range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+))\s+(.*)$/s.exec(
      line,
    ) ?? [];
  if (expression === '') throw new Error(`a statement that cannot be read: ${line}`);
  const startMs = spanMs(from ?? at ?? '0');
  const endMs = to === undefined ? startMs : spanMs(to);
  return {
    expression,
    startMs,
    endMs,
    stepMs: step === undefined ? 0 : spanMs(step),
    fails: fail === '_fail',
  };
}

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/** A time or a step of a test. */
export function spanMs(text: string): number {
  if (/^-?[\d.]+$/.test(text)) return Number(text) * 1000;
  const sign = text.startsWith('-') ? -1 : 1;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdwy])/g))
    ms += Number(count) * (units[unit as string] as number);
  return sign * ms;
}

interface Loaded {
  readonly labels: Labels;
  readonly times: number[];
  readonly values: (Value | undefined)[];
}

/** The series that a test has loaded. */
class Storage implements SeriesSource {
  readonly #series: ReadonlyMap<string, Loaded>;

  constructor(series: ReadonlyMap<string, Loaded> = new Map()) {
    this.#series = series;
  }

  with(lines: readonly string[], stepMs: number, native: boolean): Storage {
    const all = new Map(
      [...this.#series].map(([key, { labels, times, values }]) => [
        key,
        { labels, times: [...times], values: [...values] },
      ]),
    );
    const loaded: Loaded[] = [];
    for (const line of lines) {
      const series = seriesIn(line);
      if (series === undefined) throw new Error(`a series that cannot be read: ${line}`);
      loaded.push(sampled(series.labels, samplesIn(series.rest), stepMs));
    }
    for (const each of native ? [...loaded, ...nativeOf(loaded)] : loaded) {
      const known = all.get(each.labels.key);
      if (known === undefined) all.set(each.labels.key, each);
      else {
        known.times.push(...each.times);
        known.values.push(...each.values);
      }
    }
    return new Storage(all);
  }

  select(matchers: Parameters<SeriesSource['select']>[0]): readonly SeriesData[] {
    return [...this.#series.values()]
      .filter(({ labels }) => matchers.every(({ name, matches }) => matches(labels.get(name))))
      .toSorted((a, b) => (a.labels.key < b.labels.key ? -1 : 1));
  }
}

function sampled(labels: Labels, samples: readonly Sample[], stepMs: number): Loaded {
  const times: number[] = [];
  const values: (Value | undefined)[] = [];
  samples.forEach((sample, at) => {
    if (sample === 'none') return;
    times.push(at * stepMs);
    values.push(sample === 'stale' ? undefined : sample);
  });
  return { labels, times, values };
}

const bucketLabels = new Set(['le', '__name__']);

/** The classic histograms among the series as native ones with custom bounds, which `load_with_nhcb` asks for. */
function nativeOf(loaded: readonly Loaded[]): readonly Loaded[] {
  const groups = new Map<
    string,
    { labels: Labels; buckets: [number, Loaded][]; sum?: Loaded; count?: Loaded }
  >();
  for (const series of loaded) {
    const [, base, part] = /^(.*)_(bucket|sum|count)$/.exec(series.labels.get('__name__')) ?? [];
    if (base === undefined) continue;
    const labels = series.labels.without(bucketLabels).with('__name__', base);
    const group = groups.get(labels.key) ?? { labels, buckets: [] };
    groups.set(labels.key, group);
    if (part === 'bucket') group.buckets.push([numberIn(series.labels.get('le')), series]);
    else group[part === 'sum' ? 'sum' : 'count'] = series;
  }
  return [...groups.values()].filter(({ buckets }) => buckets.length > 0).map(nativeSeries);
}

function nativeSeries(group: {
  labels: Labels;
  buckets: [number, Loaded][];
  sum?: Loaded;
  count?: Loaded;
}): Loaded {
  const times = [...new Set(group.buckets.flatMap(([, series]) => series.times))].toSorted((a, b) => a - b);
  const values = times.map((time) => {
    const at = (series: Loaded | undefined): number | undefined => {
      const index = series?.times.indexOf(time) ?? -1;
      return index < 0 ? undefined : (series?.values[index] as number);
    };
    const cumulative = new Map<number, number>();
    for (const [bound, series] of group.buckets)
      cumulative.set(bound, Math.max(at(series) ?? 0, cumulative.get(bound) ?? 0));
    const ascending = [...cumulative].toSorted(([a], [b]) => a - b);
    const bounds = ascending.map(([bound]) => bound).filter(Number.isFinite);
    const positive = new Map<number, number>();
    let before = 0;
    ascending.forEach(([, count], index) => {
      if (count > before) positive.set(index, count - before);
      before = Math.max(before, count);
    });
    const count = at(group.count) ?? before;
    if (!cumulative.has(Number.POSITIVE_INFINITY) && count > before)
      positive.set(bounds.length, count - before);
    return new NativeHistogram({ schema: -53, bounds, positive, count, sum: at(group.sum) ?? 0 });
  });
  return { labels: group.labels, times, values };
}

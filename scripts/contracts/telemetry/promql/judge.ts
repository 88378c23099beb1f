// Whether what our evaluator answers is what a test of Prometheus expects.
import {
  type Answer,
  Labels,
  NativeHistogram,
  parsePromQl,
  type QueryRange,
  queryInstant,
  queryRange,
  type Value,
} from '@heddle/telemetry';
import { type Evaluation, spanMs } from './script.ts';
import { samplesIn, seriesIn } from './series-notation.ts';

/** What was wrong with the answer; undefined: nothing. */
export function judge(evaluation: Evaluation): string | undefined {
  const { expected, source, expression } = evaluation;
  const asks = expected.filter((line) => line.startsWith('expect '));
  const results = expected.filter((line) => !line.startsWith('expect '));
  const fails = evaluation.fails || asks.some((line) => line.startsWith('expect fail'));
  let answer: Answer;
  try {
    const range: QueryRange = evaluation;
    const parsed = parsePromQl(expression);
    answer = evaluation.stepMs > 0 ? queryRange(source, parsed, range) : queryInstant(source, parsed, range);
  } catch (error) {
    const { message } = error as Error;
    return fails ? wrongFailure(message, asks) : `failed: ${message}`;
  }
  if (fails) return 'expected to fail, and did not';
  return wrongNotes(answer, asks) ?? wrongResult(evaluation, answer, asks, results);
}

function wrongFailure(message: string, asks: readonly string[]): string | undefined {
  const [, wanted] =
    /^expect fail msg:\s*(.*)$/.exec(asks.find((line) => line.startsWith('expect fail msg')) ?? '') ?? [];
  return wanted === undefined || message.includes(wanted)
    ? undefined
    : `failed with ${message}, expected ${wanted}`;
}

function wrongNotes({ warnings, infos }: Answer, asks: readonly string[]): string | undefined {
  for (const ask of asks) {
    const [, no, kind, how, text = ''] =
      /^expect (no_)?(warn|info)(?:\s+(msg|regex):\s*(.*))?$/.exec(ask) ?? [];
    if (kind === undefined) continue;
    const notes = kind === 'warn' ? warnings : infos;
    if (no !== undefined && notes.length > 0) return `expected no ${kind}, found ${notes.join('; ')}`;
    if (no !== undefined) continue;
    const wanted = (note: string): boolean =>
      how === undefined || (how === 'msg' ? note === text : new RegExp(text).test(note));
    if (!notes.some(wanted)) return `expected ${ask}, found ${notes.join('; ') || 'none'}`;
  }
  return undefined;
}

interface Row {
  readonly labels: Labels;
  /** By time; for an instant under its time. */
  readonly values: ReadonlyMap<number, Value>;
}

function wrongResult(
  evaluation: Evaluation,
  answer: Answer,
  asks: readonly string[],
  results: readonly string[],
): string | undefined {
  const text = asks.find((line) => line.startsWith('expect string'));
  if (text !== undefined) {
    const literal = parsePromQl(text.slice('expect string'.length).trim());
    const same = literal.kind === 'string' && answer.type === 'string' && literal.value === answer.value;
    return same ? undefined : `expected ${text}, found ${answer.type}`;
  }
  const [only] = results;
  const series = only === undefined ? undefined : seriesIn(only);
  if (answer.type === 'scalar') {
    const [wanted] = samplesIn(series?.rest ?? only ?? '');
    return results.length === 1 && same(answer.value, wanted as Value)
      ? undefined
      : `expected ${only}, found ${answer.value}`;
  }
  if (answer.type === 'string') return `expected ${results.join('; ')}, found a text`;
  const rows = rowsOf(answer, evaluation.startMs);
  const wanted = results.map((line) => rowOf(line, evaluation, asks)).filter(({ values }) => values.size > 0);
  const ordered = asks.some((line) => line.startsWith('expect ordered'));
  return compare(rows, wanted, ordered);
}

function rowsOf(answer: Answer, timeMs: number): readonly Row[] {
  if (answer.type === 'vector')
    return answer.elements.map(({ labels, value }) => ({ labels, values: new Map([[timeMs, value]]) }));
  if (answer.type !== 'matrix') return [];
  return answer.elements.map(({ labels, points }) => ({
    labels,
    values: new Map(points.map((point) => [point.timeMs, point.value])),
  }));
}

function rowOf(line: string, { startMs, stepMs }: Evaluation, asks: readonly string[]): Row {
  const series = seriesIn(line);
  const labels = series?.labels ?? Labels.empty;
  const [, from, step] =
    /^expect range vector from (\S+) to \S+ step (\S+)$/.exec(
      asks.find((ask) => ask.startsWith('expect range')) ?? '',
    ) ?? [];
  const firstMs = from === undefined ? startMs : spanMs(from);
  const betweenMs = step === undefined ? stepMs : spanMs(step);
  const values = new Map<number, Value>();
  samplesIn(series?.rest ?? line).forEach((sample, at) => {
    if (sample !== 'none' && sample !== 'stale') values.set(firstMs + at * betweenMs, sample);
  });
  return { labels, values };
}

function compare(rows: readonly Row[], wanted: readonly Row[], ordered: boolean): string | undefined {
  const shown = (all: readonly Row[]): string => all.map(rowText).join(' | ') || 'nothing';
  const differ = `expected ${shown(wanted)}, found ${shown(rows)}`;
  if (rows.length !== wanted.length) return differ;
  for (const [at, row] of wanted.entries()) {
    const found = ordered ? rows[at] : rows.find(({ labels }) => labels.key === row.labels.key);
    if (found === undefined || found.labels.key !== row.labels.key) return differ;
    if (found.values.size !== row.values.size) return differ;
    for (const [time, value] of row.values) {
      const ours = found.values.get(time);
      if (ours === undefined || !same(ours, value)) return differ;
    }
  }
  return undefined;
}

function rowText({ labels, values }: Row): string {
  const pairs = labels.pairs.map(([name, value]) => `${name}=${value}`).join(',');
  return `{${pairs}} ${[...values.values()].map((value) => (value instanceof NativeHistogram ? histogramText(value) : String(value))).join(' ')}`;
}

function histogramText({
  schema,
  count,
  sum,
  zeroCount,
  positive,
  negative,
  bounds,
  hint,
}: NativeHistogram): string {
  const list = (buckets: ReadonlyMap<number, number>): string =>
    [...buckets].map(([at, each]) => `${at}:${each}`).join(' ');
  return `{{schema:${schema} count:${count} sum:${sum} zero:${zeroCount} pos:[${list(positive)}] neg:[${list(negative)}] bounds:[${bounds.join(' ')}] ${hint}}}`;
}

/** As near as Prometheus' own tests want it: a millionth. */
function near(a: number, b: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
  if (a === b) return true;
  return Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b)) || Math.abs(a - b) < 1e-300;
}

function same(ours: Value, wanted: Value): boolean {
  if (!(ours instanceof NativeHistogram)) return !(wanted instanceof NativeHistogram) && near(ours, wanted);
  if (!(wanted instanceof NativeHistogram)) return false;
  const buckets = (a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean =>
    [...new Set([...a.keys(), ...b.keys()])].every((at) => near(a.get(at) ?? 0, b.get(at) ?? 0));
  return (
    ours.schema === wanted.schema &&
    near(ours.count, wanted.count) &&
    near(ours.sum, wanted.sum) &&
    near(ours.zeroCount, wanted.zeroCount) &&
    near(ours.zeroThreshold, wanted.zeroThreshold) &&
    buckets(ours.positive, wanted.positive) &&
    buckets(ours.negative, wanted.negative) &&
    ours.bounds.join() === wanted.bounds.join() &&
    (wanted.hint === 'unknown' || wanted.hint === ours.hint)
  );
}

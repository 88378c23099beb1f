import { type Clock, HeddleError } from '@heddle/kernel';
import { type HttpRequest, type HttpResponse, type HttpService } from '@heddle/wire';
import type { Expression } from '../promql/ast.ts';
import { type Answer, queryInstant, queryRange } from '../promql/evaluate.ts';
import { isNumber, type QueryRange } from '../promql/evaluating.ts';
import { goNumber } from '../promql/go-number.ts';
import { compareTexts, type Labels, nameLabel } from '../promql/labels.ts';
import { durationMs } from '../promql/literals.ts';
import type { NativeHistogram } from '../promql/native-histogram.ts';
import { parsePromQl } from '../promql/parse.ts';
import type { Matcher, SeriesSource, Value } from '../promql/source.ts';
import { jsonAnswer, targetOf } from './http-answers.ts';

/** Where metrics are read from. */
export interface MetricReader {
  /** A source that has all that the expression may look at within the range. */
  sourceFor(expression: Expression, range: QueryRange): Promise<SeriesSource>;
  /** The same for whatever matches. */
  sourceBetween(fromMs: number, toMs: number): Promise<SeriesSource>;
}

const mostBodyBytes = 1024 * 1024;
const mostPoints = 11_000;
const paths =
  /^\/api\/v1\/(query|query_range|series|labels|label\/[^/]+\/values|metadata|status\/buildinfo)$/;

/** Whether a request is one for `prometheusApi`, by its path. */
export function isPrometheusQuery({ path }: HttpRequest): boolean {
  return paths.test(targetOf(path).path);
}

/**
 * Prometheus' HTTP API for queries (`/api/v1/query`, `/api/v1/query_range`, `series`, `labels`, `label/…/values`,
 * `metadata`), GET or POST of a form, so that Grafana and `promtool query` work with it. Read only.
 */
export function prometheusApi(reader: MetricReader, clock: Clock): HttpService {
  return async (request) => {
    try {
      if (request.method !== 'GET' && request.method !== 'POST')
        return failure(405, 'bad_data', 'GET or POST');
      const { path, parameters } = targetOf(request.path);
      const all = request.method === 'POST' ? await withForm(request, parameters) : parameters;
      return await answer(path.slice('/api/v1/'.length), new Parameters(all, clock), reader);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (error.code === 'invalid_argument')
        return failure(
          error.reason === 'SAME_LABELS' || error.reason === 'NOT_UNIQUE' ? 422 : 400,
          typeOf(error),
          error.message,
        );
      if (error.code === 'resource_exhausted') return failure(422, 'execution', error.message);
      return failure(500, 'internal', error.message);
    }
  };
}

function typeOf({ reason }: HeddleError): string {
  return reason === 'SAME_LABELS' || reason === 'NOT_UNIQUE' ? 'execution' : 'bad_data';
}

async function withForm({ body }: HttpRequest, parameters: URLSearchParams): Promise<URLSearchParams> {
  const text = new TextDecoder().decode(await body.bytes(mostBodyBytes));
  return new URLSearchParams([...new URLSearchParams(text), ...parameters]);
}

async function answer(what: string, given: Parameters, reader: MetricReader): Promise<HttpResponse> {
  switch (what) {
    case 'query':
      return instant(given, reader);
    case 'query_range':
      return range(given, reader);
    case 'status/buildinfo':
      return found({
        version: '3.0.0',
        revision: '',
        branch: '',
        buildUser: '',
        buildDate: '',
        goVersion: '',
      });
    case 'metadata':
      return metadata(given, reader);
    default: {
      const series = await seriesOf(given, reader);
      if (what === 'series') return found(series.map((labels) => labels.toRecord()));
      const [, encoded] = /^label\/(.*)\/values$/.exec(what) ?? [];
      const texts =
        encoded === undefined
          ? series.flatMap(({ pairs }) => pairs.map(([name]) => name))
          : series.map((labels) => labels.get(decodeURIComponent(encoded)));
      return found([...new Set(texts)].filter((text) => text !== '').toSorted(compareTexts));
    }
  }
}

async function instant(given: Parameters, reader: MetricReader): Promise<HttpResponse> {
  const expression = parsePromQl(given.required('query'));
  const timeMs = given.time('time', given.nowMs);
  const at: QueryRange = { startMs: timeMs, endMs: timeMs, stepMs: 0 };
  const source = await reader.sourceFor(expression, at);
  return shown(queryInstant(source, expression, at), timeMs);
}

async function range(given: Parameters, reader: MetricReader): Promise<HttpResponse> {
  const expression = parsePromQl(given.required('query'));
  if (expression.type !== 'scalar' && expression.type !== 'vector')
    throw bad(`query: expected a scalar or a vector for a range, found a ${expression.type}`);
  const startMs = given.time('start', undefined);
  const endMs = given.time('end', undefined);
  const stepMs = given.step();
  if (endMs < startMs) throw bad('end: expected a time that is not before start');
  if ((endMs - startMs) / stepMs > mostPoints)
    throw bad(`step: expected one that gives at most ${mostPoints} points, found ${stepMs / 1000} s`);
  const asked = { startMs, endMs, stepMs };
  return shown(queryRange(await reader.sourceFor(expression, asked), expression, asked), endMs);
}

async function seriesOf(given: Parameters, reader: MetricReader): Promise<readonly Labels[]> {
  const toMs = given.time('end', given.nowMs);
  const fromMs = given.time('start', toMs - 3_600_000);
  const wanted = given.all('match[]').map((text) => matchersOf(parsePromQl(text)));
  const source = await reader.sourceBetween(fromMs, toMs);
  const all = new Map<string, Labels>();
  for (const matchers of wanted.length === 0 ? [[]] : wanted)
    for (const { labels } of source.select(matchers, fromMs, toMs)) all.set(labels.key, labels);
  return [...all.values()];
}

function matchersOf(expression: Expression): readonly Matcher[] {
  if (expression.kind === 'selector') return expression.matchers;
  throw bad('match[]: expected a selector of series');
}

/** Of what kind a metric is, is only known by its name here. */
async function metadata(given: Parameters, reader: MetricReader): Promise<HttpResponse> {
  const only = given.text('metric');
  const series = await seriesOf(given, reader);
  const names = new Set(series.map((labels) => labels.get(nameLabel)));
  const kindOf = (name: string): string =>
    name.endsWith('_total') ? 'counter' : /_(bucket|sum|count)$/.test(name) ? 'histogram' : 'gauge';
  const entries = [...names]
    .filter((name) => only === undefined || name === only)
    .map((name) => [name, [{ type: kindOf(name), help: '', unit: '' }]] as const);
  return found(Object.fromEntries(entries));
}

function shown(answer: Answer, timeMs: number): HttpResponse {
  return jsonAnswer(200, {
    status: 'success',
    data: { resultType: answer.type, result: resultOf(answer, timeMs) },
    ...(answer.warnings.length > 0 && { warnings: answer.warnings }),
    ...(answer.infos.length > 0 && { infos: answer.infos }),
  });
}

function resultOf(answer: Answer, timeMs: number): unknown {
  const pair = (atMs: number, value: string): [number, string] => [atMs / 1000, value];
  switch (answer.type) {
    case 'scalar':
      return pair(timeMs, goNumber(answer.value));
    case 'string':
      return pair(timeMs, answer.value);
    case 'vector':
      return answer.elements.map(({ labels, value }) => ({
        metric: labels.toRecord(),
        ...(isNumber(value)
          ? { value: pair(timeMs, goNumber(value)) }
          : { histogram: [timeMs / 1000, histogramJson(value)] }),
      }));
    case 'matrix': {
      const ordered = answer.elements.toSorted((a, b) => compareTexts(a.labels.key, b.labels.key));
      return ordered.map(({ labels, points }) => {
        const numbers = points.filter(({ value }) => isNumber(value));
        const histograms = points.filter(({ value }) => !isNumber(value));
        const point = (each: { readonly timeMs: number; readonly value: Value }): [number, string] =>
          pair(each.timeMs, goNumber(each.value as number));
        return {
          metric: labels.toRecord(),
          ...(numbers.length > 0 && { values: numbers.map(point) }),
          ...(histograms.length > 0 && {
            histograms: histograms.map((each) => [
              each.timeMs / 1000,
              histogramJson(each.value as NativeHistogram),
            ]),
          }),
        };
      });
    }
  }
}

function histogramJson({ count, sum, buckets }: NativeHistogram): object {
  const shownBuckets = buckets.map((each) => [
    each.lower === -each.upper ? 3 : each.upper <= 0 ? 1 : 0,
    goNumber(each.lower),
    goNumber(each.upper),
    goNumber(each.count),
  ]);
  return {
    count: goNumber(count),
    sum: goNumber(sum),
    ...(shownBuckets.length > 0 && { buckets: shownBuckets }),
  };
}

function found(data: unknown): HttpResponse {
  return jsonAnswer(200, { status: 'success', data });
}

function failure(status: number, errorType: string, error: string): HttpResponse {
  return jsonAnswer(status, { status: 'error', errorType, error });
}

function bad(message: string): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_QUERY', message, sent: false });
}

class Parameters {
  readonly #given: URLSearchParams;
  readonly #clock: Clock;

  constructor(given: URLSearchParams, clock: Clock) {
    this.#given = given;
    this.#clock = clock;
  }

  get nowMs(): number {
    return Math.floor(this.#clock.wallMs());
  }

  text(name: string): string | undefined {
    return this.#given.get(name) || undefined;
  }

  all(name: string): readonly string[] {
    return this.#given.getAll(name);
  }

  required(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw bad(`${name}: expected an expression, found none`);
    return text;
  }

  /** Seconds since 1970, or RFC 3339; milliseconds. */
  time(name: string, fallback: number | undefined): number {
    const text = this.text(name);
    if (text === undefined && fallback !== undefined) return fallback;
    const seconds = /^[+-]?\d+(\.\d+)?(e\d+)?$/.test(text ?? '')
      ? Number(text)
      : Date.parse(text ?? '') / 1000;
    if (Number.isFinite(seconds)) return Math.round(seconds * 1000);
    throw bad(
      `${name}: expected seconds since 1970 or a time of RFC 3339, found ${JSON.stringify(text ?? 'none')}`,
    );
  }

  step(): number {
    const text = this.text('step') ?? '';
    const ms = durationMs(text);
    if (ms !== undefined && ms > 0) return ms;
    throw bad(`step: expected a duration of more than 0, found ${JSON.stringify(text)}`);
  }
}

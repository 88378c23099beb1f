import { type Clock, HeddleError } from '@heddle/kernel';
import { type HttpRequest, type HttpResponse, type HttpService, statusOfCode } from '@heddle/wire';
import type { SpanQuery, TelemetryReader } from '../store/query.ts';
import { jsonAnswer, ParameterReader, targetOf } from './http-answers.ts';
import { jaegerTrace } from './jaeger-json.ts';

const paths = /^\/api\/(services|services\/[^/]+\/operations|operations|traces|traces\/[^/]+|dependencies)$/;

/** Whether a request is one for `jaegerApi`, by its path. */
export function isJaegerQuery({ path }: HttpRequest): boolean {
  return paths.test(targetOf(path).path);
}

/**
 * Jaeger's query API over HTTP in JSON (`/api/services`, `/api/traces` …): what Grafana's Jaeger data source and Kiali
 * speak. Read only. `clock` gives the end of searches that name none.
 */
export function jaegerApi(reader: TelemetryReader, clock: Clock): HttpService {
  return async (request) => {
    try {
      if (request.method !== 'GET') return failure(405, 'this API is read only');
      return await answer(request, reader, clock);
    } catch (thrown) {
      const { code, message } = HeddleError.from(thrown);
      return failure(statusOfCode(code), message);
    }
  };
}

async function answer(request: HttpRequest, reader: TelemetryReader, clock: Clock): Promise<HttpResponse> {
  const { path, parameters } = targetOf(request.path);
  const [, , what, which, more] = path.split('/');
  const read = new ParameterReader(parameters);
  if (what === 'services' && which === undefined) return found(await reader.services());
  if (what === 'services' && more === 'operations') return found(await reader.operations(decoded(which)));
  if (what === 'operations') {
    const names = await reader.operations(read.text('service') ?? '');
    return found(names.map((name) => ({ name, spanKind: '' })));
  }
  if (what === 'dependencies') return dependencies(read, reader, clock);
  if (what === 'traces' && which !== undefined) return oneTrace(which, reader);
  if (what !== 'traces') return failure(404, 'there is no such path');
  const ids = parameters.getAll('traceID');
  if (ids.length > 0) {
    const traces = await Promise.all(
      ids.slice(0, 100).map(async (id) => ({ id, spans: await reader.trace(fullId(id)) })),
    );
    return found(
      traces.filter(({ spans }) => spans.length > 0).map(({ id, spans }) => jaegerTrace(fullId(id), spans)),
    );
  }
  const traces = await reader.search(spanQuery(read, clock));
  return found(traces.map(({ traceId, spans }) => jaegerTrace(traceId, spans)));
}

async function oneTrace(id: string, reader: TelemetryReader): Promise<HttpResponse> {
  if (!/^[0-9a-fA-F]{1,32}$/.test(id)) return failure(400, 'expected a trace id of up to 32 hex digits');
  const spans = await reader.trace(fullId(id));
  return spans.length === 0 ? failure(404, 'trace not found') : found([jaegerTrace(fullId(id), spans)]);
}

/** Jaeger leaves leading zeros out. */
function fullId(id: string): string {
  return id.toLowerCase().padStart(32, '0');
}

async function dependencies(
  read: ParameterReader,
  reader: TelemetryReader,
  clock: Clock,
): Promise<HttpResponse> {
  const endMs = read.whole('endTs', Math.ceil(clock.wallMs()), 0, 8.64e15);
  const lookbackMs = read.whole('lookback', 86_400_000, 1, 8.64e15);
  read.check();
  const edges = await reader.edges((endMs - lookbackMs) * 1000, endMs * 1000);
  return found(
    edges.map(({ client, server, calls }) => ({ parent: client, child: server, callCount: calls })),
  );
}

function spanQuery(read: ParameterReader, clock: Clock): SpanQuery {
  const nowUs = Math.ceil(clock.wallMs() * 1000);
  const toUs = read.whole('end', nowUs, 0, Number.MAX_SAFE_INTEGER);
  const hourUs = 3_600_000_000;
  const fromUs = read.whole('start', toUs - hourUs, 0, Number.MAX_SAFE_INTEGER);
  const query: SpanQuery = {
    service: read.text('service'),
    operation: read.text('operation'),
    fromUs,
    toUs,
    minDurationUs: durationUs(read, 'minDuration'),
    maxDurationUs: durationUs(read, 'maxDuration'),
    tags: tagsIn(read),
    limit: read.whole('limit', 20, 1, 1500),
  };
  read.check();
  return query;
}

/** `{"key":"value"}`; Jaeger takes `error=true` for those that failed. */
function tagsIn(read: ParameterReader): Readonly<Record<string, string>> {
  const text = read.text('tags');
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const pairs = Object.entries(value).map(([key, each]) => [key, String(each)] as const);
      return Object.fromEntries(pairs);
    }
  } catch {
    // Said below.
  }
  read.problem('tags', 'an object of texts in JSON, as in {"http.route":"/orders"}', text);
  return {};
}

const unitsUs: Readonly<Record<string, number>> = {
  us: 1,
  µs: 1,
  ms: 1000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
};

/** A duration of Go, as in `1.2s` or `100ms`. */
function durationUs(read: ParameterReader, name: string): number | undefined {
  const text = read.text(name);
  if (text === undefined) return undefined;
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(us|µs|ms|s|m|h)$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * (unitsUs[unit] ?? 1);
  read.problem(name, 'a duration such as 1.2s or 100ms', text);
  return undefined;
}

function decoded(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? '');
  } catch {
    return text ?? '';
  }
}

function found(data: readonly unknown[]): HttpResponse {
  return jsonAnswer(200, { data, total: data.length, limit: 0, offset: 0, errors: null });
}

function failure(status: number, msg: string): HttpResponse {
  return jsonAnswer(status, { data: null, total: 0, limit: 0, offset: 0, errors: [{ code: status, msg }] });
}

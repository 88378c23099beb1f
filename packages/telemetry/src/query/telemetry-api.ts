import { type Clock, HeddleError } from '@heddle/kernel';
import { type HttpRequest, type HttpResponse, type HttpService, statusOfCode } from '@heddle/wire';
import { edgeQuantileUs, type TelemetryReader } from '../store/query.ts';
import { jsonAnswer, ParameterReader, targetOf } from './http-answers.ts';

const levels: Readonly<Record<string, number>> = { debug: 5, info: 9, warn: 13, error: 17 };

/** Whether a request is one for `telemetryApi`, by its path. */
export function isTelemetryQuery({ path }: HttpRequest): boolean {
  return /^\/api\/(topology|logs)$/.test(targetOf(path).path);
}

/**
 * What Jaeger's API does not tell, for console and command: `GET /api/topology` (rate, errors and latency of each edge
 * between two times in milliseconds, `from` and `to`; default the last five minutes) and `GET /api/logs` (by `from`,
 * `to`, `service`, `level`, `text`, `trace`, `limit`). Read only.
 */
export function telemetryApi(reader: TelemetryReader, clock: Clock): HttpService {
  return async (request) => {
    try {
      if (request.method !== 'GET') return jsonAnswer(405, { error: 'this API is read only' });
      const { path, parameters } = targetOf(request.path);
      const read = new ParameterReader(parameters);
      return await (path === '/api/topology' ? topology : logs)(read, reader, clock);
    } catch (thrown) {
      const { code, message } = HeddleError.from(thrown);
      return jsonAnswer(statusOfCode(code), { error: message });
    }
  };
}

async function topology(read: ParameterReader, reader: TelemetryReader, clock: Clock): Promise<HttpResponse> {
  const toMs = read.whole('to', Math.ceil(clock.wallMs()), 0, 8.64e15);
  const fromMs = read.whole('from', Math.max(0, toMs - 300_000), 0, 8.64e15);
  read.check();
  const edges = await reader.edges(fromMs * 1000, toMs * 1000);
  const seconds = Math.max(1, (toMs - fromMs) / 1000);
  const shown = edges.map((edge) => ({
    client: edge.client,
    server: edge.server,
    calls: edge.calls,
    perSecond: edge.calls / seconds,
    errorRate: edge.failures / edge.calls,
    meanMs: edge.totalUs / edge.calls / 1000,
    p50Ms: edgeQuantileUs(edge, 0.5) / 1000,
    p90Ms: edgeQuantileUs(edge, 0.9) / 1000,
    p99Ms: edgeQuantileUs(edge, 0.99) / 1000,
  }));
  return jsonAnswer(200, { fromMs, toMs, edges: shown.toSorted((a, b) => b.calls - a.calls) });
}

async function logs(read: ParameterReader, reader: TelemetryReader, clock: Clock): Promise<HttpResponse> {
  const toMs = read.whole('to', Math.ceil(clock.wallMs()) + 1000, 0, 8.64e15);
  const fromMs = read.whole('from', Math.max(0, toMs - 3_600_000), 0, 8.64e15);
  const level = read.text('level');
  if (level !== undefined && !Object.hasOwn(levels, level))
    read.problem('level', 'debug, info, warn or error', level);
  const limit = read.whole('limit', 100, 1, 10_000);
  read.check();
  const lines = await reader.lines({
    fromUs: fromMs * 1000,
    toUs: toMs * 1000,
    service: read.text('service'),
    minSeverity: level === undefined ? undefined : levels[level],
    text: read.text('text'),
    traceId: read.text('trace'),
    limit,
  });
  return jsonAnswer(200, {
    lines: lines.map(({ resource, ...line }) => ({
      ...line,
      timeMs: line.timeUs / 1000,
      service: resource.service,
    })),
  });
}

import { type Clock, HeddleError } from '@heddle/kernel';
import { edgeQuantileUs, type SpanData, type TelemetryReader, type Trace } from '@heddle/telemetry';
import type { ConsoleRoute } from './console-api.ts';
import { wholeIn } from './console-input.ts';
import type { Observer } from './observer.ts';

const hourMs = 3_600_000;

/** Traces and the topology that comes of them. */
export function traceRoutes(reader: TelemetryReader, observer: Observer, clock: Clock): ConsoleRoute[] {
  return [
    {
      method: 'GET',
      path: '/traces',
      role: 'viewer',
      run: async ({ query }) => {
        const { fromMs, toMs } = timesIn(query, clock);
        const limit = wholeIn(query, 'limit', 100, 1, 1000);
        const traces = await reader.search({
          ...textsIn(query, ['service', 'operation']),
          fromUs: fromMs * 1000,
          toUs: toMs * 1000,
          ...durationIn(query, 'minMs', 'minDurationUs'),
          ...durationIn(query, 'maxMs', 'maxDurationUs'),
          ...(query.get('failed') === 'true' && { failed: true }),
          tags: tagsIn(query),
          limit,
        });
        const found = traces.map(summaryOf).toSorted((a, b) => b.startMs - a.startMs);
        // The filter came before the limit; where it was reached, the page asks for what began before the last one.
        return { traces: found, more: found.length >= limit, fromMs, toMs };
      },
    },
    {
      method: 'GET',
      path: '/traces/:id',
      role: 'viewer',
      run: async ({ at }) => {
        const spans = await spansOf(reader, at['id'] ?? '');
        return { traceId: (at['id'] ?? '').padStart(32, '0'), ...columnsOf(spans) };
      },
    },
    {
      method: 'GET',
      path: '/traces/:id/spans/:span',
      role: 'viewer',
      run: async ({ at }) => {
        const spans = await spansOf(reader, at['id'] ?? '');
        const span = spans.find(({ spanId }) => spanId === at['span']);
        if (span === undefined) throw noTrace('span');
        return { ...span, timeMs: span.startUs / 1000 };
      },
    },
    {
      method: 'GET',
      path: '/trace-names',
      role: 'viewer',
      run: async ({ query }) => {
        const service = query.get('service') ?? '';
        const operations = service === '' ? [] : await reader.operations(service);
        return { services: await reader.services(), operations };
      },
    },
    {
      method: 'GET',
      path: '/topology',
      role: 'viewer',
      run: async ({ query }) => topology(reader, observer, timesIn(query, clock, 5 * 60_000)),
    },
  ];
}

async function topology(
  reader: TelemetryReader,
  observer: Observer,
  { fromMs, toMs }: Times,
): Promise<object> {
  const edges = await reader.edges(fromMs * 1000, toMs * 1000);
  const seconds = Math.max(1, (toMs - fromMs) / 1000);
  const { services } = observer.latest;
  const instances = services.flatMap((service) => service.instances);
  return {
    fromMs,
    toMs,
    edges: edges.map((edge) => ({
      client: edge.client,
      server: edge.server,
      calls: edge.calls,
      perSecond: edge.calls / seconds,
      errorShare: edge.failures / edge.calls,
      meanMs: edge.totalUs / edge.calls / 1000,
      p50Ms: edgeQuantileUs(edge, 0.5) / 1000,
      p95Ms: edgeQuantileUs(edge, 0.95) / 1000,
      p99Ms: edgeQuantileUs(edge, 0.99) / 1000,
    })),
    // What an empty picture is explained by: each stage of the way from a call to an edge.
    stages: {
      services: services.length,
      instances: instances.length,
      answering: instances.filter(({ metrics }) => metrics === 'read').length,
      requests: services.some(({ traffic }) => (traffic?.perSecond ?? 0) > 0),
      tracedServices: (await reader.services()).length,
      edgesInADay: (await reader.edges((toMs - 24 * hourMs) * 1000, toMs * 1000)).length,
    },
  };
}

interface Times {
  readonly fromMs: number;
  readonly toMs: number;
}

function timesIn(query: URLSearchParams, clock: Clock, spanMs: number = hourMs): Times {
  const toMs = wholeIn(query, 'to', Math.ceil(clock.wallMs()), 0, 8.64e15);
  return { toMs, fromMs: wholeIn(query, 'from', Math.max(0, toMs - spanMs), 0, 8.64e15) };
}

function textsIn(query: URLSearchParams, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (query.get(name) ? [[name, query.get(name) ?? '']] : [])),
  );
}

function durationIn(query: URLSearchParams, name: string, as: string): Record<string, number> {
  return query.get(name) ? { [as]: wholeIn(query, name, 0, 0, 1e9) * 1000 } : {};
}

/** `tag=http.route=/orders`, any number of them. */
function tagsIn(query: URLSearchParams): Record<string, string> {
  const pairs = query.getAll('tag').filter((text) => text.includes('='));
  return Object.fromEntries(
    pairs.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  );
}

async function spansOf(reader: TelemetryReader, id: string): Promise<readonly SpanData[]> {
  if (!/^[0-9a-fA-F]{1,32}$/.test(id)) throw noTrace('trace');
  const spans = await reader.trace(id.toLowerCase().padStart(32, '0'));
  if (spans.length === 0) throw noTrace('trace');
  return spans;
}

function summaryOf({ traceId, spans }: Trace): { readonly startMs: number } & Record<string, unknown> {
  const root = spans.find(({ parentSpanId }) => parentSpanId === '') ?? spans[0];
  const startUs = Math.min(...spans.map((span) => span.startUs));
  const endUs = Math.max(...spans.map((span) => span.startUs + span.durationUs));
  const failed = spans.filter((span) => span.failed);
  return {
    traceId,
    startMs: startUs / 1000,
    durationMs: (endUs - startUs) / 1000,
    service: root?.resource.service ?? '',
    name: root?.name ?? '',
    spans: spans.length,
    failed: failed.length,
    services: [...new Set(spans.map(({ resource }) => resource.service))],
    failedAt: failed.at(-1)?.resource.service ?? null,
  };
}

/** Fifty thousand spans as columns: a third of the bytes of a list of objects, and nothing that is only shown for one. */
function columnsOf(spans: readonly SpanData[]): object {
  const services = [...new Set(spans.map(({ resource }) => resource.service))];
  const at = new Map(services.map((name, index) => [name, index]));
  const names = [...new Set(spans.map(({ name }) => name))];
  const nameAt = new Map(names.map((name, index) => [name, index]));
  return {
    services,
    names,
    id: spans.map(({ spanId }) => spanId),
    parent: spans.map(({ parentSpanId }) => parentSpanId),
    service: spans.map(({ resource }) => at.get(resource.service)),
    name: spans.map(({ name }) => nameAt.get(name)),
    kind: spans.map(({ kind }) => kind),
    startUs: spans.map(({ startUs }) => startUs),
    durationUs: spans.map(({ durationUs }) => durationUs),
    failed: spans.map(({ failed }) => (failed ? 1 : 0)),
  };
}

function noTrace(what: string): HeddleError {
  const message = `there is no such ${what}; it was not sampled, is not here yet, or is forgotten`;
  return new HeddleError({ code: 'not_found', reason: 'NO_TRACE', message, sent: false });
}

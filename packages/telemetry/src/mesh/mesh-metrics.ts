/** Durations of requests in milliseconds; null where there were none. */
export interface MeshLatency {
  readonly meanMs: number | null;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
}

/** What a service has answered, or what one has asked another, within a time. */
export interface TrafficMetrics {
  readonly requestCount: number;
  readonly perSecond: number;
  /** 0 to 1; 0 without requests. */
  readonly errorRate: number;
  readonly latency: MeshLatency;
}

/** A pair of services of which one calls the other, as the caller has seen it. */
export interface EdgeMetrics extends TrafficMetrics {
  readonly client: string;
  readonly server: string;
}

/** How a whole mesh does: all services together, each, and each pair that calls. */
export interface MeshMetrics extends TrafficMetrics {
  readonly fromMs: number;
  readonly toMs: number;
  readonly services: Readonly<Record<string, TrafficMetrics>>;
  readonly edges: readonly EdgeMetrics[];
}

/** A series of an answer. */
export interface MeshSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Answers an expression of PromQL at a moment: the built-in store, or a Prometheus. */
export type MeshQuery = (expression: string, timeMs: number) => Promise<readonly MeshSample[]>;

const failedCodes = 'unknown|deadline_exceeded|resource_exhausted|internal|unavailable|data_loss';
const quantiles = [0.5, 0.9, 0.99] as const;

/** The names of one side's metrics, HTTP and RPC. */
interface Side {
  readonly http: string;
  readonly rpc: string;
  readonly durations: string;
}

const servers: Side = {
  http: 'http_requests_total',
  rpc: 'rpc_server_calls_total',
  durations: 'http_request_duration_seconds|rpc_server_duration_seconds',
};
const clients: Side = {
  http: 'http_client_requests_total',
  rpc: 'rpc_client_calls_total',
  durations: 'http_client_request_duration_seconds|rpc_client_duration_seconds',
};

/**
 * How the mesh has done in the `windowMs` before `toMs`. A service is a `job`; what it was asked is counted where it answers,
 * and an edge where it is called from. Counts are increases of counters, so they may be fractions.
 */
export async function meshMetrics(query: MeshQuery, toMs: number, windowMs: number): Promise<MeshMetrics> {
  const at = { query, toMs, windowMs };
  const [whole, services, edges] = await Promise.all([
    traffic(at, servers, ''),
    traffic(at, servers, 'job'),
    traffic(at, clients, 'job, service'),
  ]);
  const none: TrafficMetrics = {
    requestCount: 0,
    perSecond: 0,
    errorRate: 0,
    latency: { meanMs: null, p50Ms: null, p90Ms: null, p99Ms: null },
  };
  const named = [...services.values()].map(({ labels, metrics }) => [labels['job'] ?? '', metrics] as const);
  const pairs = [...edges.values()].map(({ labels, metrics }) => ({
    client: labels['job'] ?? '',
    server: labels['service'] ?? '',
    ...metrics,
  }));
  return {
    fromMs: toMs - windowMs,
    toMs,
    ...(whole.get('')?.metrics ?? none),
    services: Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    edges: pairs.toSorted((a, b) => b.requestCount - a.requestCount),
  };
}

interface Window {
  readonly query: MeshQuery;
  readonly toMs: number;
  readonly windowMs: number;
}

type Found = Map<string, { readonly labels: MeshSample['labels']; readonly metrics: TrafficMetrics }>;

async function traffic({ query, toMs, windowMs }: Window, side: Side, by: string): Promise<Found> {
  const range = `[${windowMs}ms]`;
  const sum = (expression: string): string => `sum by (${by}) (${expression})`;
  const durations = (end: string): string => `{__name__=~"(${side.durations})_${end}"}`;
  const expressions = [
    sum(`increase(${side.http}${range})`),
    sum(`increase(${side.rpc}${range})`),
    sum(`increase(${side.http}{status_code=~"5.."}${range})`),
    sum(`increase(${side.rpc}{code=~"${failedCodes}"}${range})`),
    `${sum(`rate(${durations('sum')}${range})`)} / ${sum(`rate(${durations('count')}${range})`)}`,
    ...quantiles.map(
      (quantile) =>
        `histogram_quantile(${quantile}, sum by (${by === '' ? 'le' : `le, ${by}`}) (rate(${durations('bucket')}${range})))`,
    ),
  ];
  const answers = await Promise.all(expressions.map((expression) => query(expression, toMs)));
  const rows = new Map<string, { readonly labels: MeshSample['labels']; readonly values: number[] }>();
  for (const [column, samples] of answers.entries())
    for (const { labels, value } of samples) {
      const key = by
        .split(', ')
        .map((label) => labels[label] ?? '')
        .join('\n');
      const row = rows.get(key) ?? { labels, values: answers.map(() => Number.NaN) };
      row.values[column] = value;
      rows.set(key, row);
    }
  return new Map(
    [...rows].map(([key, { labels, values }]) => [key, { labels, metrics: metricsOf(values, windowMs) }]),
  );
}

function metricsOf(values: readonly number[], windowMs: number): TrafficMetrics {
  const [http = 0, rpc = 0, httpFailed = 0, rpcFailed = 0, mean = 0, p50 = 0, p90 = 0, p99 = 0] = values;
  const count = (value: number): number => (Number.isNaN(value) ? 0 : value);
  const ms = (seconds: number): number | null => (Number.isFinite(seconds) ? seconds * 1000 : null);
  const requestCount = count(http) + count(rpc);
  const failed = count(httpFailed) + count(rpcFailed);
  return {
    requestCount,
    perSecond: requestCount / (windowMs / 1000),
    errorRate: requestCount === 0 ? 0 : failed / requestCount,
    latency: { meanMs: ms(mean), p50Ms: ms(p50), p90Ms: ms(p90), p99Ms: ms(p99) },
  };
}

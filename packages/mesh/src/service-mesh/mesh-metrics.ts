import type { MetricSource } from './prometheus-queries.ts';
import type { MeshMetrics, ServiceMetrics } from './service-mesh.ts';

const window = '5m';
// Whoever is called counts: a call between two sidecars would be counted twice.
const series = (name: string): string => `${name}{reporter="destination"}`;
const failed = 'istio_requests_total{reporter="destination",response_code=~"5.."}';
const service = 'destination_service';

/** Istio's standard metrics, which sidecars of either kind tell. */
const queries = {
  requests: `sum by (${service}) (increase(${series('istio_requests_total')}[${window}]))`,
  failures: `sum by (${service}) (increase(${failed}[${window}]))`,
  latency: (quantile: number, by: string): string =>
    `histogram_quantile(${quantile}, sum by (le${by}) (rate(${series('istio_request_duration_milliseconds_bucket')}[${window}])))`,
  perSecond: (name: string): string => `sum(rate(${series(name)}[${window}]))`,
};

/** What a mesh has done, asked of whoever keeps its metrics. Rejects as the source does. */
export async function meshMetrics(source: MetricSource): Promise<MeshMetrics> {
  const single = async (query: string): Promise<number | undefined> => (await source.query(query))[0]?.value;
  const byService = async (query: string): Promise<ReadonlyMap<string, number>> =>
    new Map((await source.query(query)).map(({ labels, value }) => [labels[service] ?? '', value]));
  const [requests, failures, slowest, p50Ms, p90Ms, p99Ms, perSecond, requestBytes, responseBytes] =
    await Promise.all([
      byService(queries.requests),
      byService(queries.failures),
      byService(queries.latency(0.99, `, ${service}`)),
      single(queries.latency(0.5, '')),
      single(queries.latency(0.9, '')),
      single(queries.latency(0.99, '')),
      single(queries.perSecond('istio_requests_total')),
      single(queries.perSecond('istio_request_bytes_sum')),
      single(queries.perSecond('istio_response_bytes_sum')),
    ]);
  const services = [...requests].map(([name, requestCount]): [string, ServiceMetrics] => [
    name,
    { requestCount, errorRate: rate(failures.get(name), requestCount), p99Ms: slowest.get(name) },
  ]);
  const requestCount = requests.size === 0 ? undefined : sum(requests);
  return {
    requestCount,
    errorRate: requestCount === undefined ? undefined : rate(sum(failures), requestCount),
    latency: { p50Ms, p90Ms, p99Ms },
    services: Object.fromEntries(services),
    traffic: {
      requestsPerSecond: perSecond,
      requestBytesPerSecond: requestBytes,
      responseBytesPerSecond: responseBytes,
    },
  };
}

function sum(values: ReadonlyMap<string, number>): number {
  return [...values.values()].reduce((total, each) => total + each, 0);
}

/** Nobody called: there is no rate. A service without a series of failures has none. */
function rate(failures: number | undefined, requests: number): number | undefined {
  return requests === 0 ? undefined : (failures ?? 0) / requests;
}

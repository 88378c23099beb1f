import type { Sample } from '@heddle/telemetry';

/** What one instance has served since it started, out of its own metrics. */
export interface TrafficReading {
  /** HTTP requests and RPC calls answered. */
  readonly requests: number;
  /** Those that failed for a reason on this side: HTTP 5xx, and the gRPC codes below. */
  readonly errors: number;
  /** Upper bounds of the duration buckets in seconds, ascending, the last being infinity. */
  readonly bounds: readonly number[];
  /** Requests in each bucket, not cumulative. */
  readonly counts: readonly number[];
  /** Calls being served now. */
  readonly inFlight: number;
  /** CPU time used, and memory held; undefined where the instance does not say. */
  readonly cpuSeconds: number | undefined;
  readonly residentBytes: number | undefined;
}

// What says nothing about the server (the caller's mistake, its deadline, its leaving) is not held against it.
const failures = new Set([
  'unknown',
  'internal',
  'unavailable',
  'data_loss',
  'unimplemented',
  'deadline_exceeded',
]);

/** Reads one scrape. Metrics that are not there count as zero: an instance that has served nothing has no series. */
export function readTraffic(samples: readonly Sample[]): TrafficReading {
  const cumulative = new Map<number, number>();
  let requests = 0;
  let errors = 0;
  let inFlight = 0;
  let cpuSeconds: number | undefined;
  let residentBytes: number | undefined;
  for (const { name, labels, value } of samples) {
    switch (name) {
      case 'http_requests_total':
        requests += value;
        if (Number(labels['status_code']) >= 500) errors += value;
        break;
      case 'rpc_server_calls_total':
        requests += value;
        if (failures.has(labels['code'] ?? '')) errors += value;
        break;
      case 'http_request_duration_seconds_bucket':
      case 'rpc_server_duration_seconds_bucket': {
        const bound = labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']);
        cumulative.set(bound, (cumulative.get(bound) ?? 0) + value);
        break;
      }
      case 'http_requests_in_flight':
      case 'rpc_server_in_flight':
        inFlight += value;
        break;
      case 'process_cpu_seconds_total':
        cpuSeconds = value;
        break;
      case 'process_resident_memory_bytes':
        residentBytes = value;
        break;
    }
  }
  const bounds = [...cumulative.keys()].toSorted((a, b) => a - b);
  const counts = bounds.map((bound, at) => {
    const below = at === 0 ? 0 : (cumulative.get(bounds[at - 1] as number) ?? 0);
    return (cumulative.get(bound) ?? 0) - below;
  });
  return { requests, errors, bounds, counts, inFlight, cpuSeconds, residentBytes };
}

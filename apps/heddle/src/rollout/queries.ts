/** What is asked about the new version: calls in a look, failed calls, and the latency that is judged. */
export interface Queries {
  readonly calls: string;
  readonly errors: string;
  /** In milliseconds; undefined: latency is not judged. */
  readonly latency: string | undefined;
}

/** What the places of a query stand for. */
export interface QueryPlaces {
  readonly service: string;
  readonly version: string;
  readonly window: string;
}

/** Istio's standard metrics, which its proxies and those that imitate them write. */
export const standardQueries: Required<{ [K in keyof Queries]: string }> = {
  calls:
    'sum(increase(istio_requests_total{destination_service_name="{service}",destination_version="{version}"}[{window}]))',
  errors:
    'sum(increase(istio_requests_total{destination_service_name="{service}",destination_version="{version}",response_code=~"5.."}[{window}]))',
  latency:
    'histogram_quantile(0.99, sum by (le) (rate(istio_request_duration_milliseconds_bucket{destination_service_name="{service}",destination_version="{version}"}[{window}])))',
};

/** A query with its places filled in. */
export function filled(query: string, { service, version, window }: QueryPlaces): string {
  return query
    .replaceAll('{service}', service)
    .replaceAll('{version}', version)
    .replaceAll('{window}', window);
}

import type { Call, Layer } from '@heddle/kernel';
import { hostOf } from '@heddle/proxy/layers';
import { type MetricRegistry, statusOfExchange, watchExchange } from '@heddle/telemetry';
import { type HttpRequest, type HttpResponse, peer } from '@heddle/wire';
import type { ServiceListener, Workload } from '../model/index.ts';

const labels = [
  'reporter',
  'source_principal',
  'destination_service',
  'destination_service_name',
  'destination_service_namespace',
  'destination_workload',
  'destination_workload_namespace',
  'destination_version',
  'response_code',
  'request_protocol',
  'connection_security_policy',
] as const;

const unknown = 'unknown';
// As Istio's own, so that quantiles over sidecars of both kinds can be computed.
const buckets = [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000];

/** Whose side counts, as it is at the time of a request. */
export interface CountedSide {
  /** Istio's `reporter`. */
  readonly reporter: 'source' | 'destination';
  /** The workload of this sidecar, if the rules know it. */
  readonly workload: () => Workload | undefined;
  /** The service that is called by a name. */
  readonly service: (name: string) => ServiceListener | undefined;
}

/**
 * Istio's standard metrics, as its own sidecars write them (istio.io, “Istio Standard Metrics”): `istio_requests_total` and
 * `istio_request_duration_milliseconds`, so that whoever reads those (Kiali, rollouts, `ServiceMesh.getMetrics`) reads ours.
 * Labels that a sidecar cannot know are `unknown`. A request is counted when its last byte has gone. Once for a registry;
 * then a layer for each side.
 */
export function standardMetrics(
  registry: MetricRegistry,
): (side: CountedSide) => Layer<HttpRequest, HttpResponse> {
  const requests = registry.counter({
    name: 'istio_requests_total',
    help: 'Requests, counted by the sidecar of who called (source) and of who was called (destination).',
    labels,
  });
  const durations = registry.histogram({
    name: 'istio_request_duration_milliseconds',
    help: 'Time from the first byte of a request to the last of its answer.',
    labels,
    buckets,
  });
  return (side) =>
    countedAt(side, (values, seconds) => {
      requests.series(...values).inc();
      durations.series(...values).observe(seconds * 1000);
    });
}

/** One for each label. */
type ValuesOf<Labels extends readonly string[]> = { readonly [At in keyof Labels]: string };
type Values = ValuesOf<typeof labels>;

function countedAt(
  { reporter, workload, service }: CountedSide,
  count: (values: Values, seconds: number) => void,
): Layer<HttpRequest, HttpResponse> {
  const isCalled = reporter === 'destination';
  return (next) => (req, call) => {
    const called = service(hostOf(req.authority));
    const protocol =
      req.fields.get('content-type')?.startsWith('application/grpc') === true ? 'grpc' : 'http';
    return watchExchange(call, next(req, call), (exchange) => {
      const own = workload();
      const values: Values = [
        reporter,
        isCalled ? (principalOf(call) ?? unknown) : unknown,
        called?.host ?? unknown,
        called === undefined ? unknown : (called.aliases[0] ?? called.host),
        called?.namespace ?? unknown,
        isCalled ? (own?.name ?? unknown) : unknown,
        isCalled ? (own?.namespace ?? unknown) : unknown,
        isCalled ? (own?.labels['version'] ?? unknown) : unknown,
        String(statusOfExchange(exchange)),
        protocol,
        isCalled ? (principalOf(call) === undefined ? 'none' : 'mutual_tls') : unknown,
      ];
      count(values, exchange.seconds);
    });
  };
}

/** Of a caller who has proved it. */
function principalOf(call: Call): string | undefined {
  const certificate = call.get(peer)?.tls?.certificate;
  return certificate?.verified === true ? certificate.uris[0] : undefined;
}

import { type Call, type CallKey, callKey, type Layer } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import type { Counter } from './counter.ts';
import { observeIn } from './exemplar.ts';
import type { Histogram } from './histogram.ts';
import type { MetricRegistry } from './registry.ts';
import { statusOfExchange, watchExchange } from './watch-exchange.ts';

const unmatched = 'unmatched';

/** Shared by a call and its children, so that what matches a request far below names it for the counters above. */
const matched: CallKey<{ endpoint: string } | undefined> = callKey<{ endpoint: string } | undefined>(
  'matched',
  undefined,
);

/** Says which route or operation a call was matched to: few values, never the raw path. For whoever matches. */
export function nameEndpoint(call: Call, endpoint: string): void {
  const shared = call.get(matched);
  if (shared === undefined) call.set(matched, { endpoint });
  else shared.endpoint = endpoint;
}

/** What `nameEndpoint` has said of a call; `unmatched` where nobody has. For whoever else tells of calls. */
export function endpointOf(call: Call): string {
  return call.get(matched)?.endpoint ?? unmatched;
}

/** The same; undefined where nobody has. */
export function routeOf(call: Call): string | undefined {
  const endpoint = endpointOf(call);
  return endpoint === unmatched ? undefined : endpoint;
}

/** What `httpServerMetrics` and `httpClientMetrics` need to know. */
export interface HttpMetricsOptions {
  /** The label `service`: on a server its own name, on a client the name it calls. */
  readonly service: string;
}

type HttpLayer = Layer<HttpRequest, HttpResponse>;

/**
 * Counts what a server answers: `http_requests_total{method,endpoint,status_code,service}`,
 * `http_request_duration_seconds{method,endpoint,service}`, `http_requests_in_flight{service}`.
 * A request is counted when its last byte has gone. One per registry, outermost but for the edge.
 */
export function httpServerMetrics(registry: MetricRegistry, options: HttpMetricsOptions): HttpLayer {
  return httpMetrics(registry, 'http_request', 'answered', options);
}

/** The same for the calls a client makes: `http_client_requests_total` and so on. */
export function httpClientMetrics(registry: MetricRegistry, options: HttpMetricsOptions): HttpLayer {
  return httpMetrics(registry, 'http_client_request', 'made', options);
}

const knownMethods = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'TRACE',
]);

function httpMetrics(
  registry: MetricRegistry,
  name: string,
  verb: string,
  options: HttpMetricsOptions,
): HttpLayer {
  const { service } = options;
  const requests = registry.counter({
    name: `${name}s_total`,
    help: `HTTP requests ${verb}; 499 when the caller left first.`,
    labels: ['method', 'endpoint', 'status_code', 'service'],
  });
  const durations = registry.histogram({
    name: `${name}_duration_seconds`,
    help: `Time from the first byte of the request to the last of the answer, for requests ${verb}.`,
    labels: ['method', 'endpoint', 'service'],
  });
  const inFlight = registry
    .gauge({ name: `${name}s_in_flight`, help: `HTTP requests being ${verb} now.`, labels: ['service'] })
    .series(service);
  const tallies = new Tallies(
    (method, endpoint, status) => requests.series(method, endpoint, String(status), service),
    (method, endpoint) => durations.series(method, endpoint, service),
  );
  return (next) => (req, call) => {
    const named = call.get(matched) ?? { endpoint: unmatched };
    call.set(matched, named);
    inFlight.add(1);
    return watchExchange(call, next(req, call), (exchange) => {
      inFlight.add(-1);
      const method = knownMethods.has(req.method) ? req.method : 'other';
      const tally = tallies.of(method, named.endpoint);
      tally.count(statusOfExchange(exchange)).inc();
      observeIn(call, tally.duration, exchange.seconds);
    });
  };
}

/** The series of one method at one endpoint. */
class Tally {
  readonly duration: Histogram;
  readonly #make: (status: number) => Counter;
  readonly #counts: (Counter | undefined)[] = [];

  constructor(duration: Histogram, make: (status: number) => Counter) {
    this.duration = duration;
    this.#make = make;
  }

  /** `status` is of three digits. */
  count(status: number): Counter {
    return (this.#counts[status] ??= this.#make(status));
  }
}

const mostKept = 1000;

/** Series that have been looked up once, so that a request need not look up each of them by all of its labels. */
class Tallies {
  readonly #count: (method: string, endpoint: string, status: number) => Counter;
  readonly #duration: (method: string, endpoint: string) => Histogram;
  readonly #known = new Map<string, Map<string, Tally>>();

  constructor(
    count: (method: string, endpoint: string, status: number) => Counter,
    duration: (method: string, endpoint: string) => Histogram,
  ) {
    this.#count = count;
    this.#duration = duration;
  }

  of(method: string, endpoint: string): Tally {
    const methods = this.#known.get(endpoint);
    const known = methods?.get(method);
    if (known !== undefined) return known;
    const made = new Tally(this.#duration(method, endpoint), (status) =>
      this.#count(method, endpoint, status),
    );
    if (methods !== undefined) methods.set(method, made);
    // Whoever names endpoints after what somebody outside chooses must not fill the memory.
    else if (this.#known.size < mostKept) this.#known.set(endpoint, new Map([[method, made]]));
    return made;
  }
}

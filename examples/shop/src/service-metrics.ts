import { type SagaMeasures, sagaMetrics } from '@heddle/data/saga';
import type { EndedStatement, SqlPool } from '@heddle/sql';
import type { Layer } from '@heddle/kernel';
import type { RpcRequest, RpcResponse } from '@heddle/rpc';
import {
  nameEndpoint,
  MetricRegistry,
  metricsService,
  processMetrics,
  registrationGauge,
  rpcMetrics,
  serverMetrics,
} from '@heddle/telemetry';
import { processReader } from '@heddle/telemetry/node';
import type { HttpRequest, HttpResponse, HttpService } from '@heddle/wire';

type HttpLayer = Layer<HttpRequest, HttpResponse>;

/** All that one instance measures about itself. The one place where a service meets the telemetry package. */
export class ServiceMetrics {
  /** Counts and times the calls that the service makes to others. */
  readonly rpcClient: Layer<RpcRequest, RpcResponse>;
  readonly #registry = new MetricRegistry();
  readonly #exposition: HttpService;
  readonly #counted: HttpLayer;

  constructor(service: string) {
    this.#exposition = metricsService(this.#registry);
    this.#counted = serverMetrics(this.#registry, { service });
    this.rpcClient = rpcMetrics(this.#registry, {
      side: 'client',
      describe: ({ method }) => ({ service: method.parent.typeName, method: method.name }),
    });
    processMetrics(this.#registry, processReader());
  }

  /** For the server's stack: counts and times each request under its route, and answers `GET /metrics` uncounted. */
  observe(endpointOf: (request: HttpRequest) => string | undefined): HttpLayer {
    return (next) => {
      const counted = this.#counted(next);
      return (request, call) => {
        if (request.path === '/metrics') return this.#exposition(request, call);
        const endpoint = endpointOf(request);
        if (endpoint !== undefined) nameEndpoint(call, endpoint);
        return counted(request, call);
      };
    };
  }

  /** Shows whether the registry has this instance. */
  get registered(): (registered: boolean) => void {
    return registrationGauge(this.#registry);
  }

  /** Counts and times statements, by what they do. */
  get statement(): (ended: EndedStatement) => void {
    const labels = ['statement', 'outcome'];
    const help = 'Statements of SQL, by what they do and how they ended.';
    const counted = this.#registry.counter({ name: 'sql_statements_total', help, labels });
    const durations = this.#registry.histogram({
      name: 'sql_statement_duration_seconds',
      help: 'Time from a statement to its result.',
      labels: ['statement'],
    });
    return ({ title, durationMs, error }) => {
      counted.series(title, error === undefined ? 'ok' : error.code).inc();
      durations.series(title).observe(durationMs / 1000);
    };
  }

  /** Counts sagas and their steps, and shows those that have not ended. */
  get sagas(): SagaMeasures {
    return sagaMetrics(this.#registry);
  }

  /** Shows how busy the connections to the database are. */
  watchPool(pool: SqlPool): void {
    const help = 'Connections to the database, by what they do; waiting: callers that have none.';
    const connections = this.#registry.gauge({ name: 'sql_pool_connections', help, labels: ['state'] });
    this.#registry.beforeExposition(() => {
      const { open, idle, waiting } = pool.load;
      connections.series('busy').set(open - idle);
      connections.series('idle').set(idle);
      connections.series('waiting').set(waiting);
    });
  }
}

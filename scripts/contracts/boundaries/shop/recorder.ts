// Loaded into a process of the shop before its own code (`--import`): records what the service really does, its requests,
// calls and SQL statements, as OTLP JSON, a line for each span, into the file that RECORD_TO names. It stands in for an
// exporter, and stands where one would: in the layers that the service has for its metrics, and in the driver.
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import pg from 'pg';
import type { HttpRequest } from '@heddle/wire';
import { ServiceMetrics } from '../../../../examples/shop/src/service-metrics.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
}

const file = process.env['RECORD_TO'] ?? '';
const service = process.env['RECORD_SERVICE'] ?? '';
const current = new AsyncLocalStorage<Span>();
const kinds = { server: 2, client: 3 } as const;

/** Begins a span below the one at hand, or below the one that a request brings along. */
function begin(traceparent?: string): Span & { readonly parentSpanId: string } {
  const [, traceId, parentSpanId] = /^00-(\w{32})-(\w{16})-/.exec(traceparent ?? '') ?? [];
  const above = current.getStore();
  return {
    traceId: traceId ?? above?.traceId ?? randomBytes(16).toString('hex'),
    parentSpanId: parentSpanId ?? above?.spanId ?? '',
    spanId: randomBytes(8).toString('hex'),
  };
}

function record(
  span: ReturnType<typeof begin>,
  kind: keyof typeof kinds,
  name: string,
  attributes: Readonly<Record<string, string>>,
): void {
  const listed = (all: Readonly<Record<string, string>>): unknown =>
    Object.entries(all).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const spans = [{ ...span, name, kind: kinds[kind], attributes: listed(attributes) }];
  const resource = { attributes: listed({ 'service.name': service }) };
  const line = { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'recorder' }, spans }] }] };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/** What the request asks for, in the words of the semantic conventions; undefined for probes. */
function describe(request: HttpRequest, endpoint: string | undefined): Record<string, string> | undefined {
  if (endpoint === undefined || endpoint === '/health' || endpoint.includes('grpc.health')) return undefined;
  const [, rpc, method] = /^\/([\w.]+)\/(\w+)$/.exec(endpoint) ?? [];
  if (rpc?.includes('.') && method !== undefined) {
    return { 'rpc.system': 'grpc', 'rpc.service': rpc, 'rpc.method': method };
  }
  return { 'http.request.method': request.method, 'http.route': endpoint.replace(/^[A-Z]+ /, '') };
}

type Observe = (
  this: ServiceMetrics,
  ...given: Parameters<ServiceMetrics['observe']>
) => ReturnType<ServiceMetrics['observe']>;
type WatchPool = (this: ServiceMetrics, ...given: Parameters<ServiceMetrics['watchPool']>) => void;

const observe: Observe = Reflect.get(ServiceMetrics.prototype, 'observe');
const watchPool: WatchPool = Reflect.get(ServiceMetrics.prototype, 'watchPool');

ServiceMetrics.prototype.observe = function recorded(endpointOf) {
  const counted = observe.call(this, endpointOf);
  return (next) => {
    const inner = counted(next);
    return async (request, call) => {
      const attributes = describe(request, endpointOf(request));
      if (attributes === undefined) return inner(request, call);
      const span = begin(request.fields.get('traceparent'));
      try {
        return await current.run(span, () => inner(request, call));
      } finally {
        record(span, 'server', Object.values(attributes).join(' '), attributes);
      }
    };
  };
};

// Called once for each service, before its clients are made.
ServiceMetrics.prototype.watchPool = function recorded(pool) {
  const counted = this.rpcClient;
  const traced: typeof counted = (next) => {
    const inner = counted(next);
    return async (request, call) => {
      const span = begin();
      request.fields.set('traceparent', `00-${span.traceId}-${span.spanId}-01`);
      try {
        return await inner(request, call);
      } finally {
        record(span, 'client', request.method.name, {
          'rpc.service': request.method.parent.typeName,
          'rpc.method': request.method.name,
        });
      }
    };
  };
  Object.defineProperty(this, 'rpcClient', { value: traced });
  watchPool.call(this, pool);
};

type Query = (this: pg.Client, ...given: unknown[]) => unknown;

const query: Query = Reflect.get(pg.Client.prototype, 'query');

pg.Client.prototype.query = function recorded(this: pg.Client, ...args: unknown[]): unknown {
  const [first] = args;
  const text = typeof first === 'object' && first !== null && 'text' in first ? first.text : first;
  if (
    typeof text === 'string' &&
    !/pg_|heddle_migrations|^\s*(begin|commit|rollback|set|create)\b/i.test(text)
  ) {
    record(begin(), 'client', 'query', {
      'db.system.name': 'postgresql',
      'db.namespace': this.database ?? '',
      'db.query.text': text,
    });
  }
  return query.apply(this, args);
} as typeof pg.Client.prototype.query;

// The planted drift: each order that is placed also writes into another service's table, in its real database.
const foreign = process.env['RECORD_FOREIGN_DATABASE'];
if (foreign !== undefined) {
  const client = new pg.Client({ connectionString: foreign });
  const connected = client.connect();
  const planted: Observe = Reflect.get(ServiceMetrics.prototype, 'observe');
  ServiceMetrics.prototype.observe = function drifting(endpointOf) {
    const layer = planted.call(this, endpointOf);
    return (next) =>
      layer(async (request, call) => {
        if (request.method === 'POST') {
          await connected;
          await client.query("UPDATE payments SET state = state WHERE order_id = 'none'");
        }
        return next(request, call);
      });
  };
}

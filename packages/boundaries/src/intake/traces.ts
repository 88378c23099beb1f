import { uniqueUses } from '../model/merge.ts';
import {
  capabilityOf,
  type Dependency,
  type EntityUse,
  type System,
  systemOf,
  type UseCase,
} from '../model/system.ts';
import type { TraceSpan } from './otlp.ts';
import { tablesOf } from './sql-statement.ts';

/** Broken traces have spans that are above each other in a circle: no walk upwards goes further than this. */
const deepest = 1000;

/** What one operation of a service was seen to do. */
interface Seen {
  readonly service: string;
  readonly operation: string;
  readonly uses: EntityUse[];
  readonly calls: Map<string, number>;
}

/**
 * A running system as its traces show it. Each operation of a service is a capability; the tables and collections
 * that it touches are its entities, what it calls are its dependencies, counted; each kind of request from outside is
 * a use case with its rate. Semantic conventions of OpenTelemetry, the stable names and the older ones.
 */
export function systemOfTraces(spans: readonly TraceSpan[]): System {
  const byId = new Map(spans.map((span) => [`${span.traceId}/${span.spanId}`, span]));
  const parentOf = (span: TraceSpan): TraceSpan | undefined =>
    byId.get(`${span.traceId}/${span.parentSpanId}`);
  const seen = new Map<string, Seen>();
  const cases = new UseCases();
  for (const span of spans) {
    const entry = entryOf(span, parentOf);
    const name = capabilityName(entry);
    const own: Seen = seen.get(name) ?? nothingSeen(entry);
    seen.set(name, own);
    const root = rootOf(span, parentOf);
    const uses = entitiesOf(span);
    own.uses.push(...uses);
    cases.touch(root, name, uses);
    const caller = span === entry ? callerOf(span, parentOf) : undefined;
    if (caller === undefined) continue;
    const from = capabilityName(caller);
    if (from === name) continue;
    const calling: Seen = seen.get(from) ?? nothingSeen(caller);
    seen.set(from, calling);
    calling.calls.set(name, (calling.calls.get(name) ?? 0) + 1);
    cases.call(root, from, name);
  }
  const capabilities = [...seen].map(([name, { service, operation, uses, calls }]) =>
    capabilityOf({
      name,
      service,
      deployment: service,
      operations: operation === background ? [] : [operation],
      entities: uniqueUses(uses),
      dependencies: dependenciesOf(calls),
    }),
  );
  return systemOf({ name: 'traces', kind: 'parts', capabilities, useCases: cases.list() });
}

/** Work that nobody outside has asked for. */
const background = '(background)';

function dependenciesOf(calls: ReadonlyMap<string, number>): Dependency[] {
  const all = [...calls.values()].reduce((sum, count) => sum + count, 0);
  return [...calls].map(([on, count]) => ({ on, calls: count, share: count / all }));
}

function nothingSeen(entry: TraceSpan): Seen {
  return { service: entry.service, operation: operationOf(entry), uses: [], calls: new Map() };
}

/** The span by which the service's work on this one began: the nearest that came in from outside, or the topmost of the service. */
function entryOf(span: TraceSpan, parentOf: (span: TraceSpan) => TraceSpan | undefined): TraceSpan {
  let at = span;
  for (let depth = 0; depth < deepest; depth++) {
    if (at.kind === 'server' || at.kind === 'consumer') return at;
    const parent = parentOf(at);
    if (parent === undefined || parent.service !== span.service) return at;
    at = parent;
  }
  return at;
}

/** Who called an entry: the entry of the span above it. */
function callerOf(
  entry: TraceSpan,
  parentOf: (span: TraceSpan) => TraceSpan | undefined,
): TraceSpan | undefined {
  const parent = parentOf(entry);
  return parent === undefined ? undefined : entryOf(parent, parentOf);
}

function rootOf(span: TraceSpan, parentOf: (span: TraceSpan) => TraceSpan | undefined): TraceSpan {
  let at = span;
  for (let depth = 0; depth < deepest; depth++) {
    const parent = parentOf(at);
    if (parent === undefined) return at;
    at = parent;
  }
  return at;
}

function capabilityName(entry: TraceSpan): string {
  return `${entry.service}: ${operationOf(entry)}`;
}

/** What a client span without anything above it shows is work that nobody outside has asked for. */
function operationOf({ kind, name, attributes }: TraceSpan): string {
  if (kind === 'client' || kind === 'producer') return background;
  const [service, method] = [attributes.get('rpc.service'), attributes.get('rpc.method')];
  if (service !== undefined && method !== undefined) return `${service.split('.').at(-1)}/${method}`;
  const verb = attributes.get('http.request.method') ?? attributes.get('http.method');
  const route = attributes.get('http.route');
  return verb !== undefined && route !== undefined ? `${verb} ${route}` : name;
}

/** The tables of a span on a database, by its statement or by the attributes that sum it up. */
function entitiesOf({ kind, attributes }: TraceSpan): EntityUse[] {
  if (kind === 'server' || kind === 'consumer') return [];
  if (!attributes.has('db.system.name') && !attributes.has('db.system')) return [];
  const statement = attributes.get('db.query.text') ?? attributes.get('db.statement');
  const uses = statement === undefined ? summed(attributes) : tablesOf(statement);
  const namespace = attributes.get('db.namespace') ?? attributes.get('db.name');
  if (namespace === undefined) return uses;
  return uses.map(({ entity, access }) => ({ entity: `${namespace}.${entity}`, access }));
}

function summed(attributes: ReadonlyMap<string, string>): EntityUse[] {
  const entity = attributes.get('db.collection.name') ?? attributes.get('db.sql.table');
  const operation = attributes.get('db.operation.name') ?? attributes.get('db.operation') ?? '';
  if (entity === undefined) return [];
  const reads = /^(select|find|get|count|aggregate|query|scan|search)/i.test(operation);
  return [{ entity, access: reads ? 'read' : 'write' }];
}

interface Running {
  readonly traces: Set<string>;
  readonly capabilities: Set<string>;
  readonly reads: Set<string>;
  readonly writes: Set<string>;
  readonly calls: Map<string, { from: string; to: string; count: number }>;
}

/** Use cases as they are found, by the operation at the root of their traces. */
class UseCases {
  readonly #found = new Map<string, Running>();

  touch(root: TraceSpan, capability: string, uses: readonly EntityUse[]): void {
    const running = this.#of(root);
    running.traces.add(root.traceId);
    running.capabilities.add(capability);
    for (const { entity, access } of uses) (access === 'write' ? running.writes : running.reads).add(entity);
  }

  call(root: TraceSpan, from: string, to: string): void {
    const { calls } = this.#of(root);
    const entry = calls.get(`${from}\n${to}`) ?? { from, to, count: 0 };
    entry.count++;
    calls.set(`${from}\n${to}`, entry);
  }

  list(): UseCase[] {
    return [...this.#found].map(([name, { traces, capabilities, reads, writes, calls }]) => ({
      name,
      rate: traces.size,
      capabilities: [...capabilities].sort(),
      reads: [...reads].filter((entity) => !writes.has(entity)).sort(),
      writes: [...writes].sort(),
      calls: [...calls.values()].map(({ from, to, count }) => ({ from, to, count: count / traces.size })),
    }));
  }

  #of(root: TraceSpan): Running {
    const name = capabilityName(root);
    const known = this.#found.get(name);
    if (known !== undefined) return known;
    const fresh = {
      traces: new Set<string>(),
      capabilities: new Set<string>(),
      reads: new Set<string>(),
      writes: new Set<string>(),
      calls: new Map<string, { from: string; to: string; count: number }>(),
    };
    this.#found.set(name, fresh);
    return fresh;
  }
}

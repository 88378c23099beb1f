import type { CatalogueEntry, ConsumerUse } from '@heddle/api';
import type { Clock } from '@heddle/kernel';
import type { Attributes, SpanData, SpanQuery, TelemetryReader } from '@heddle/telemetry';

/** Where to look. */
export interface ConsumersOptions {
  readonly clock: Clock;
  readonly telemetry: TelemetryReader;
  readonly entries: () => readonly CatalogueEntry[];
  /** How far to look back. */
  readonly days: () => number;
}

const dayUs = 86_400_000_000;
const server = 2;
const client = 3;
/** Traces that are looked at for each operation. */
const tracesEach = 100;

/**
 * Who uses some operations of a service: whoever has called them lately, by the traces that were kept, and whoever
 * declares it. A caller whose traces were not sampled is seen in the counts of calls, and then for the whole service.
 */
export function consumersOf(
  options: ConsumersOptions,
): (service: string, operations: readonly string[]) => Promise<readonly ConsumerUse[]> {
  return async (service, operations) => {
    const seen = await Promise.all(operations.map((operation) => callersOf(options, service, operation)));
    return [...declaredUses(options.entries(), service), ...seen.flat()];
  };
}

function declaredUses(entries: readonly CatalogueEntry[], service: string): readonly ConsumerUse[] {
  return entries.flatMap(({ service: consumer, versions }) => {
    const consumes = versions.at(-1)?.contract.consumes ?? [];
    return consumes
      .filter((use) => use.service === service)
      .map((use) => ({ ...use, consumer, known: 'declared' as const }));
  });
}

async function callersOf(
  { clock, telemetry, days }: ConsumersOptions,
  service: string,
  operation: string,
): Promise<readonly ConsumerUse[]> {
  const tags = tagsOf(operation);
  if (tags === undefined) return [];
  const toUs = clock.wallMs() * 1000;
  const query: SpanQuery = { service, tags, fromUs: toUs - days() * dayUs, toUs, limit: tracesEach };
  const callers = new Set<string>();
  for (const { spans } of await telemetry.search(query)) {
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    for (const span of spans) {
      if (span.resource.service !== service || span.kind !== server || !hasAll(span.attributes, tags))
        continue;
      const caller = callerOf(span, byId);
      if (caller !== undefined && caller !== service) callers.add(caller);
    }
  }
  return [...callers].map((consumer) => ({
    consumer,
    service,
    operations: [operation],
    known: 'calls' as const,
  }));
}

/** How spans of servers name an operation. */
function tagsOf(operation: string): Readonly<Record<string, string>> | undefined {
  const [, method, route] = /^([A-Z]+) (\/.*)$/.exec(operation) ?? [];
  if (method !== undefined && route !== undefined)
    return { 'http.request.method': method, 'http.route': route };
  return operation.includes('/') ? { 'rpc.method': operation } : undefined;
}

function hasAll(attributes: Attributes, tags: Readonly<Record<string, string>>): boolean {
  return Object.entries(tags).every(([name, value]) => attributes[name] === value);
}

function callerOf({ parentSpanId }: SpanData, byId: ReadonlyMap<string, SpanData>): string | undefined {
  const parent = byId.get(parentSpanId);
  return parent?.kind === client || parent?.kind === server ? parent.resource.service : undefined;
}

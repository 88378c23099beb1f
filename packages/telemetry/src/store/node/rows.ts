import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBType,
  type DuckDBValue,
  UBIGINT,
  UHUGEINT,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import type { Attributes, LogData, Resource, SpanData, SpanEvent, SpanLink } from '../../otlp/signal.ts';
import type { EdgeMinute } from '../edge-tally.ts';

/** A table of a day's file: how a thing becomes a row. */
export interface Table<T> {
  readonly name: string;
  readonly columns: readonly (readonly [name: string, type: DuckDBType, value: (item: T) => DuckDBValue])[];
}

/** Spans. Ids are numbers, which cost a third of what texts do; no parent is 0. What nothing is searched by lies in `rest`. */
export const spansTable: Table<SpanData> = {
  name: 'spans',
  columns: [
    ['trace_id', UHUGEINT, (span) => numberOfId(span.traceId)],
    ['span_id', UBIGINT, (span) => numberOfId(span.spanId)],
    ['parent_id', UBIGINT, (span) => numberOfId(span.parentSpanId)],
    ['service', VARCHAR, (span) => span.resource.service],
    ['name', VARCHAR, (span) => span.name],
    ['kind', UTINYINT, (span) => span.kind],
    ['start_us', BIGINT, (span) => BigInt(Math.floor(span.startUs))],
    ['duration_us', DOUBLE, (span) => span.durationUs],
    ['failed', BOOLEAN, (span) => span.failed],
    ['attributes', VARCHAR, (span) => JSON.stringify(span.attributes)],
    ['resource', VARCHAR, (span) => resourceText(span.resource)],
    ['rest', VARCHAR, restText],
  ],
};

/** Lines of logs. */
export const logsTable: Table<LogData> = {
  name: 'logs',
  columns: [
    ['time_us', BIGINT, (line) => BigInt(Math.floor(line.timeUs))],
    ['severity', UTINYINT, (line) => Math.min(255, line.severity)],
    ['severity_text', VARCHAR, (line) => line.severityText],
    ['service', VARCHAR, (line) => line.resource.service],
    ['body', VARCHAR, (line) => line.body],
    ['attributes', VARCHAR, (line) => JSON.stringify(line.attributes)],
    ['trace_id', VARCHAR, (line) => line.traceId],
    ['span_id', VARCHAR, (line) => line.spanId],
    ['resource', VARCHAR, (line) => resourceText(line.resource)],
  ],
};

/** Calls by minute. */
export const edgesTable: Table<EdgeMinute> = {
  name: 'edges',
  columns: [
    ['minute_us', BIGINT, (edge) => BigInt(edge.minuteUs)],
    ['client', VARCHAR, (edge) => edge.client],
    ['server', VARCHAR, (edge) => edge.server],
    ['calls', BIGINT, (edge) => BigInt(edge.calls)],
    ['failures', BIGINT, (edge) => BigInt(edge.failures)],
    ['total_us', DOUBLE, (edge) => edge.totalUs],
    ['buckets', VARCHAR, (edge) => JSON.stringify(edge.buckets)],
  ],
};

/** An id of hex digits as a number; 0 where there is none. */
export function numberOfId(id: string): bigint {
  return id === '' ? 0n : BigInt(`0x${id}`);
}

/** A number that is an id, in so many digits; empty for 0. */
export function idOfNumber(number: bigint, digits: number): string {
  return number === 0n ? '' : number.toString(16).padStart(digits, '0');
}

const resourceTexts = new WeakMap<Resource, string>();

/** As it is kept; one resource is shared by many. */
export function resourceText(resource: Resource): string {
  const known = resourceTexts.get(resource);
  if (known !== undefined) return known;
  const text = JSON.stringify(resource.attributes);
  resourceTexts.set(resource, text);
  return text;
}

interface Rest {
  readonly status?: string;
  readonly scope?: string;
  readonly events?: readonly SpanEvent[];
  readonly links?: readonly SpanLink[];
}

// Most spans have nothing but the name of their library.
let lastScope = '';
let lastScopeText = '';

function restText({ statusMessage, scope, events, links }: SpanData): string {
  if (statusMessage === '' && events.length === 0 && links.length === 0) {
    if (scope === '') return '';
    if (scope !== lastScope) [lastScope, lastScopeText] = [scope, JSON.stringify({ scope })];
    return lastScopeText;
  }
  const rest: Rest = {
    ...(statusMessage !== '' && { status: statusMessage }),
    ...(scope !== '' && { scope }),
    ...(events.length > 0 && { events }),
    ...(links.length > 0 && { links }),
  };
  return JSON.stringify(rest);
}

/** A row as it is read: 64-bit numbers come as bigint. */
export type Row = Readonly<Record<string, unknown>>;

/** A span out of its row. */
export function spanOf(row: Row): SpanData {
  const text = (name: string): string => row[name] as string;
  const rest = (text('rest') === '' ? {} : JSON.parse(text('rest'))) as Rest;
  return {
    traceId: idOfNumber(row['trace_id'] as bigint, 32),
    spanId: idOfNumber(row['span_id'] as bigint, 16),
    parentSpanId: idOfNumber(row['parent_id'] as bigint, 16),
    name: text('name'),
    kind: row['kind'] as number,
    startUs: Number(row['start_us']),
    durationUs: row['duration_us'] as number,
    failed: row['failed'] as boolean,
    statusMessage: rest.status ?? '',
    attributes: JSON.parse(text('attributes')) as Attributes,
    events: rest.events ?? [],
    links: rest.links ?? [],
    scope: rest.scope ?? '',
    resource: {
      service: text('service'),
      attributes: JSON.parse(text('resource')) as Resource['attributes'],
    },
  };
}

/** A line out of its row. */
export function lineOf(row: Row): LogData {
  const text = (name: string): string => row[name] as string;
  return {
    timeUs: Number(row['time_us']),
    severity: row['severity'] as number,
    severityText: text('severity_text'),
    body: text('body'),
    attributes: JSON.parse(text('attributes')) as Attributes,
    traceId: text('trace_id'),
    spanId: text('span_id'),
    resource: {
      service: text('service'),
      attributes: JSON.parse(text('resource')) as Resource['attributes'],
    },
  };
}

/** A minute's calls out of their row. */
export function edgeOf(row: Row): EdgeMinute {
  return {
    minuteUs: Number(row['minute_us']),
    client: row['client'] as string,
    server: row['server'] as string,
    calls: Number(row['calls']),
    failures: Number(row['failures']),
    totalUs: row['total_us'] as number,
    buckets: JSON.parse(row['buckets'] as string) as number[],
  };
}

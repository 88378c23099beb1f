import { createHash } from 'node:crypto';
import type { LogData } from '../otlp/signal.ts';

/** A line as the bulk API takes it: an action with its id, and the document. */
export interface BulkLine {
  readonly id: string;
  readonly index: string;
  /** JSON. */
  readonly document: string;
}

/**
 * Lines of one request as documents, each in the index of its day. Their ids are made from the request's bytes: when it comes
 * twice, since its sender did not hear our answer, they are the same, and the log store keeps each line once.
 */
export function bulkLines(
  prefix: string,
  request: Uint8Array,
  lines: readonly LogData[],
): readonly BulkLine[] {
  const hash = createHash('sha256').update(request).digest('hex').slice(0, 24);
  return lines.map((line, at) => {
    const time = new Date(line.timeUs / 1000);
    const day = time.toISOString().slice(0, 10).replaceAll('-', '.');
    return {
      id: `${hash}-${at}`,
      index: `${prefix}-${day}`,
      document: JSON.stringify(documentOf(line, time)),
    };
  });
}

function documentOf(line: LogData, time: Date): object {
  const { service, attributes: resource } = line.resource;
  const texts = Object.entries(line.attributes).map(([key, value]) => {
    return [key, typeof value === 'string' ? value : JSON.stringify(value)] as const;
  });
  return {
    '@timestamp': time.toISOString(),
    service,
    instance: resource['service.instance.id'] ?? '',
    level: line.severityText || levelOf(line.severity),
    severity: line.severity,
    message: line.body,
    trace_id: line.traceId,
    span_id: line.spanId,
    attributes: Object.fromEntries(texts),
  };
}

function levelOf(severity: number): string {
  return severity >= 17 ? 'error' : severity >= 13 ? 'warn' : severity >= 9 ? 'info' : 'debug';
}

/** The body of a bulk request. `create` and not `index`: a line that is there already stays as it is. */
export function bulkBody(lines: readonly BulkLine[]): string {
  return lines
    .map(
      ({ id, index, document }) => `${JSON.stringify({ create: { _index: index, _id: id } })}\n${document}\n`,
    )
    .join('');
}

/** How the fields are searched. Attributes are one field, so that no two senders can disagree about the type of one. */
export function indexTemplate(prefix: string, flatType: string): object {
  return {
    index_patterns: [`${prefix}-*`],
    template: {
      mappings: {
        dynamic: false,
        properties: {
          '@timestamp': { type: 'date' },
          service: { type: 'keyword' },
          instance: { type: 'keyword' },
          level: { type: 'keyword' },
          severity: { type: 'integer' },
          message: { type: 'text' },
          trace_id: { type: 'keyword' },
          span_id: { type: 'keyword' },
          attributes: { type: flatType },
        },
      },
    },
  };
}

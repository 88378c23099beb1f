// Two answers of a query API about one trace, ours and Jaeger's: what both say has to be the same.
import assert from 'node:assert/strict';

interface Tag {
  readonly key: string;
  readonly type: string;
  readonly value: unknown;
}

interface ShownSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly object[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly Tag[];
  readonly logs: readonly { readonly timestamp: number; readonly fields: readonly Tag[] }[];
  readonly processID: string;
}

interface ShownTrace {
  readonly traceID: string;
  readonly spans: readonly ShownSpan[];
  readonly processes: Readonly<
    Record<string, { readonly serviceName: string; readonly tags: readonly Tag[] }>
  >;
}

/** Throws what differs: spans, their references, times, tags with their types, events, and who did them. Order means nothing. */
export function shownAlike(ours: unknown, theirs: unknown): void {
  assert.deepEqual(comparable(ours as ShownTrace), comparable(theirs as ShownTrace));
}

function comparable({ traceID, spans, processes }: ShownTrace): object {
  const shown = spans.map(({ processID, tags, logs, ...span }) => ({
    traceID: span.traceID,
    spanID: span.spanID,
    operationName: span.operationName,
    references: span.references,
    startTime: span.startTime,
    duration: span.duration,
    tags: sorted(tags),
    logs: logs.map(({ timestamp, fields }) => ({ timestamp, fields: sorted(fields) })),
    process: {
      serviceName: processes[processID]?.serviceName,
      tags: sorted(processes[processID]?.tags ?? []),
    },
  }));
  return { traceID, spans: shown.toSorted((a, b) => (a.spanID < b.spanID ? -1 : 1)) };
}

function sorted(tags: readonly Tag[]): readonly Tag[] {
  return tags.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

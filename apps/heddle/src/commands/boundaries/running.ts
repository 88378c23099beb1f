import { type System, systemOfTraces, type TraceSpan } from '@heddle/boundaries';
import type { Given } from '../../command.ts';
import { type JaegerTrace, parentOf, rootOf, tagOf } from '../../observe/jaeger-trace.ts';
import { keptTraces } from '../../observe/kept-traces.ts';
import { isOwnTable, isPlumbing } from './plumbing.ts';

/**
 * The system that runs, as the traces of the last hour show it that its control plane has kept (`keptTraces`), but for what
 * programs ask each other as programs.
 */
export async function runningSystem(given: Given): Promise<System> {
  const without = new Set(
    given
      .text('without')
      ?.split(',')
      .map((each) => each.trim()),
  );
  const spans = (await keptTraces(given)).filter(isWork).flatMap(spansOf);
  return systemOfTraces(spans.filter(({ service }) => !without.has(service)));
}

/** Whether somebody wanted something: told by what a trace begins with. */
function isWork(trace: JaegerTrace): boolean {
  return !isPlumbing(rootOf(trace)?.operationName ?? '');
}

function spansOf({ traceID, spans, processes }: JaegerTrace): readonly TraceSpan[] {
  return spans
    .filter(({ operationName }) => !isOwnTable(operationName))
    .map((span) => ({
      traceId: traceID,
      spanId: span.spanID,
      parentSpanId: parentOf(span),
      service: processes[span.processID]?.serviceName ?? '',
      name: span.operationName,
      kind: kindOf(tagOf(span, 'span.kind')),
      attributes: new Map(span.tags.map(({ key, value }) => [key, String(value)])),
    }));
}

const kinds: ReadonlySet<string> = new Set(['server', 'client', 'producer', 'consumer']);

function kindOf(text: string): TraceSpan['kind'] {
  return kinds.has(text) ? (text as TraceSpan['kind']) : 'internal';
}

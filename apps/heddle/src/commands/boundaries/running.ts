import { type System, systemOfTraces, type TraceSpan } from '@heddle/boundaries';
import { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Given } from '../../command.ts';
import { type JaegerTrace, parentOf, rootOf, tagOf } from '../../observe/jaeger-trace.ts';
import { PlaneClient } from '../../observe/plane-client.ts';

/** Enough to see what each operation does; more of the same changes only the counts. */
const tracesOfEach = 500;

interface Answer<T> {
  readonly data: T;
}

/**
 * The system that runs, as the traces of the last hour show it that its control plane has kept: the newest 500 of each
 * service, but for what programs ask each other as programs (health, reflection, contracts). Rejects with `not_found` / `NO_TRACES` where there are none, and as `PlaneClient` does.
 */
export async function runningSystem(given: Given): Promise<System> {
  const plane = new PlaneClient(given, nodeRuntime({ name: 'boundaries', logLevel: 'error' }));
  try {
    const services = (await plane.get<Answer<readonly string[]>>('/api/services'))?.data ?? [];
    const traces = new Map<string, JaegerTrace>();
    for (const service of services) {
      const found = await plane.get<Answer<readonly JaegerTrace[]>>('/api/traces', {
        service,
        limit: String(tracesOfEach),
      });
      for (const trace of found?.data ?? []) traces.set(trace.traceID, trace);
    }
    if (traces.size === 0) throw noTraces();
    const without = new Set(
      given
        .text('without')
        ?.split(',')
        .map((each) => each.trim()),
    );
    const spans = [...traces.values()].filter(isWork).flatMap(spansOf);
    return systemOfTraces(spans.filter(({ service }) => !without.has(service)));
  } finally {
    plane.close();
  }
}

const plumbing = /grpc\.(health|reflection)\.|\/\.well-known\/|\/(healthz|readyz|health|metrics)$/;

/** Whether somebody wanted something: told by what a trace begins with. */
function isWork(trace: JaegerTrace): boolean {
  return !plumbing.test(rootOf(trace)?.operationName ?? '');
}

function spansOf({ traceID, spans, processes }: JaegerTrace): readonly TraceSpan[] {
  return spans.map((span) => ({
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

function noTraces(): HeddleError {
  const message =
    'the control plane has kept no traces in the last hour: send some calls, or name files with traces';
  return new HeddleError({ code: 'not_found', reason: 'NO_TRACES', message, sent: false });
}

import { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Given } from '../command.ts';
import type { JaegerTrace } from './jaeger-trace.ts';
import { PlaneClient } from './plane-client.ts';

/** Enough to see what each service does; more of the same changes only the counts. */
const tracesOfEach = 500;

interface Answer<T> {
  readonly data: T;
}

/**
 * The traces of the last hour that a control plane has kept (`planeOptions`): the newest 500 of each service. Rejects with
 * `not_found` / `NO_TRACES` where there are none, and as `PlaneClient` does.
 */
export async function keptTraces(given: Given): Promise<readonly JaegerTrace[]> {
  const plane = new PlaneClient(given, nodeRuntime({ name: 'traces', logLevel: 'error' }));
  try {
    const services = (await plane.get<Answer<readonly string[]>>('/api/services'))?.data ?? [];
    const traces = new Map<string, JaegerTrace>();
    for (const service of services) {
      const asked = { service, limit: String(tracesOfEach) };
      const found = await plane.get<Answer<readonly JaegerTrace[]>>('/api/traces', asked);
      for (const trace of found?.data ?? []) traces.set(trace.traceID, trace);
    }
    if (traces.size === 0) throw noTraces();
    return [...traces.values()];
  } finally {
    plane.close();
  }
}

function noTraces(): HeddleError {
  const message =
    'the control plane has kept no traces in the last hour: send some calls, or name a file instead of --running';
  return new HeddleError({ code: 'not_found', reason: 'NO_TRACES', message, sent: false });
}

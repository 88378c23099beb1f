import { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Command, usageError } from '../command.ts';
import type { JaegerTrace } from '../observe/jaeger-trace.ts';
import { PlaneClient } from '../observe/plane-client.ts';
import { waterfall } from '../observe/waterfall.ts';
import { traceUsage } from './trace.usage.ts';

interface Answer {
  readonly data: readonly JaegerTrace[];
}

/** `heddle trace`. */
export const trace: Command = {
  ...traceUsage,
  run: async (given, world) => {
    const [id, ...rest] = given.words;
    if (id === undefined || rest.length > 0)
      throw usageError('"heddle trace" needs the id of a trace, or the x-request-id of an answer');
    const runtime = nodeRuntime({ name: 'trace', logLevel: 'error' });
    const plane = new PlaneClient(given, runtime);
    try {
      const traces = await find(plane, id, runtime.clock.wallMs());
      if (traces.length === 0) throw notFound(id);
      const shown = given.flag('json')
        ? `${JSON.stringify(traces, undefined, 2)}\n`
        : traces.map((each) => waterfall(each, world.terminal)).join('\n');
      world.terminal.out(shown);
      return 0;
    } finally {
      plane.close();
    }
  },
};

/** By trace id, else by correlation id: what clients of the gateway know as `x-request-id`. */
async function find(plane: PlaneClient, id: string, nowMs: number): Promise<readonly JaegerTrace[]> {
  if (/^[0-9a-f]{16,32}$/i.test(id)) {
    const found = await plane.get<Answer>(`/api/traces/${id}`);
    if (found !== undefined) return found.data;
  }
  const week = 7 * 86_400_000;
  const found = await plane.get<Answer>('/api/traces', {
    tags: JSON.stringify({ 'heddle.correlation_id': id }),
    start: String(Math.floor((nowMs - week) * 1000)),
    limit: '10',
  });
  return found?.data ?? [];
}

function notFound(id: string): HeddleError {
  const message =
    `there is no trace or correlation id ${id}. A trace shows a second after its last span; of those that went well ` +
    'and fast, only a share is kept (HEDDLE_TRACE_RATIO)';
  return new HeddleError({ code: 'not_found', reason: 'NO_TRACE', message, sent: false });
}

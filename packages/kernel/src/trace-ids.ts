import type { TraceContext } from './context.ts';
import type { Random } from './ports/random.ts';

/** The first span of a new trace (W3C Trace Context, section 3.2.2). For edges and jobs: nobody else makes one up. */
export function startTrace(random: Random, sampled: boolean): TraceContext {
  // From the system's entropy: the fast generator has too few seeds to tell the processes of a large fleet apart.
  return { traceId: random.uuid().replaceAll('-', ''), spanId: newSpanId(random), sampled };
}

/** A new span of the same trace; the given one is its parent. */
export function childSpan(parent: TraceContext, random: Random): TraceContext {
  const { traceId, sampled, state } = parent;
  const spanId = newSpanId(random);
  return state === undefined ? { traceId, spanId, sampled } : { traceId, spanId, sampled, state };
}

function newSpanId(random: Random): string {
  return eight(random) + eight(random, 1);
}

/** Eight hex digits; at least `least`, since an id of zeros only is no id. */
function eight(random: Random, least = 0): string {
  const text = Math.max(random.uint32(), least).toString(16);
  return text.length === 8 ? text : text.padStart(8, '0');
}

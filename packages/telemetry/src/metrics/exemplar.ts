import { type Call, traceContext } from '@heddle/kernel';
import type { Histogram } from './histogram.ts';

/** Counts a duration, and says in which trace it was if that is kept: a point of a picture then leads to its trace. */
export function observeIn(call: Call, histogram: Histogram, seconds: number): void {
  histogram.observe(seconds);
  const trace = call.get(traceContext);
  if (trace === undefined || !trace.sampled) return;
  const { traceId, spanId } = trace;
  histogram.exemplify({ value: seconds, traceId, spanId, wallMs: call.runtime.clock.wallMs() });
}

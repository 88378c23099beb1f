import type { Call, HeddleError } from '@heddle/kernel';

/** Ends the call, if nobody has done so before, and gives the time: one reading of the clock for both. */
export function endNow(call: Call, error?: HeddleError): number {
  if (call.outcome !== undefined) return call.runtime.clock.nowMs();
  call.end(error);
  return call.endMs;
}

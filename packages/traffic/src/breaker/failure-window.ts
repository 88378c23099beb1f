/** Calls and failures of one slice of time. */
interface Slice {
  /** Its number since the clock's start. */
  readonly at: number;
  readonly calls: number;
  readonly failures: number;
}

/** Slices of a window. The oldest leaves as a whole, so a window covers between 90 and 100 % of its length. */
const slices = 10;

/** Calls and failures over the last `windowMs`, without a list of calls. Never changed: `counted` gives another one. */
export interface FailureWindow {
  readonly current: Slice;
  readonly older: readonly Slice[];
}

/** No calls yet. */
export const emptyWindow: FailureWindow = { current: { at: 0, calls: 0, failures: 0 }, older: [] };

/** With more calls, `failures` of which have failed. */
export function counted(
  window: FailureWindow,
  calls: number,
  failures: number,
  nowMs: number,
  windowMs: number,
): FailureWindow {
  const at = Math.floor((nowMs * slices) / windowMs);
  const { current, older } = window;
  if (current.at === at)
    return { current: { at, calls: current.calls + calls, failures: current.failures + failures }, older };
  const kept = current.calls > 0 ? [...older, current] : older;
  return { current: { at, calls, failures }, older: kept.filter((slice) => slice.at > at - slices) };
}

/** All that the window holds now. */
export function totals(
  window: FailureWindow,
  nowMs: number,
  windowMs: number,
): { readonly calls: number; readonly failures: number } {
  const oldest = Math.floor((nowMs * slices) / windowMs) - slices;
  let calls = 0;
  let failures = 0;
  for (const slice of [...window.older, window.current]) {
    if (slice.at <= oldest) continue;
    calls += slice.calls;
    failures += slice.failures;
  }
  return { calls, failures };
}

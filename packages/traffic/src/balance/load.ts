import type { Call, Outcome } from '@heddle/kernel';
import { classifyErrors } from '@heddle/kernel';

/** What a server says of its own load (ORCA). Shares are from 0 (idle) to 1 (full); some may be above. */
export interface LoadReport {
  /** Share of its capacity that the application says it uses; stands above `cpuUtilization` where given. */
  readonly utilization?: number;
  readonly cpuUtilization?: number;
  /** Share of the time in which the event loop was busy: for Node the truest of all. */
  readonly eventLoopUtilization?: number;
  /** Calls a second that it serves, and how many of them fail. */
  readonly perSecond?: number;
  readonly errorsPerSecond?: number;
}

/** What all loads of one target add up to. */
export class LoadGroup {
  /** Calls in flight on all instances of the group. */
  inFlight = 0;
}

// A moving average that forgets with a time constant of ten seconds, as finagle's and linkerd's peak EWMA.
const decayMs = 10_000;
/** A failure counts as this slow at least: an instance that fails fast must not look like the fastest. */
const failureMs = 1000;

/**
 * What one instance is doing, as its caller knows: calls in flight, how long they take, and what the instance says of
 * itself. One object for the life of the instance, whatever picker or update comes along.
 */
export class Load {
  readonly group: LoadGroup;
  /** Calls in flight: from `begin` to the call's end. */
  inFlight = 0;
  /** Moving average of how long calls take, by peak EWMA: it rises at once and falls slowly. 0: not known yet. */
  latencyMs = 0;
  /** When `latencyMs` was last moved. */
  latencyAtMs = 0;
  /** The newest report, and when it came; undefined until the first. */
  report: LoadReport | undefined;
  reportAtMs = 0;
  /** When the first report came after a silence; see `orca`. */
  reportingSinceMs = 0;

  constructor(group: LoadGroup = new LoadGroup()) {
    this.group = group;
  }

  /**
   * A call goes to this instance now. It counts until its end, whenever the answer begins. To be called at once after
   * the pick, before anything is awaited: calls that start together then see each other.
   */
  begin(call: Call): void {
    const { startMs } = call;
    this.inFlight++;
    this.group.inFlight++;
    call.onEnd((outcome) => {
      this.inFlight--;
      this.group.inFlight--;
      const { endMs } = call;
      const tookMs = sampleMs(outcome, endMs - startMs);
      if (tookMs !== undefined) this.took(tookMs, endMs);
    });
  }

  /** A call took so long. Part of `begin`; for tests and for those that measure otherwise. */
  took(tookMs: number, nowMs: number): void {
    // Zero stands for "not known", and no call takes no time.
    const sample = Math.max(tookMs, 0.001);
    const { latencyMs } = this;
    if (latencyMs === 0 || sample > latencyMs) this.latencyMs = sample;
    else {
      const keep = Math.exp((this.latencyAtMs - nowMs) / decayMs);
      this.latencyMs = latencyMs * keep + sample * (1 - keep);
    }
    this.latencyAtMs = nowMs;
  }

  /** The instance has reported: out of band, or with an answer. `silenceMs`: after such a gap it counts as new. */
  reported(report: LoadReport, nowMs: number, silenceMs = 180_000): void {
    if (this.report === undefined || nowMs - this.reportAtMs > silenceMs) this.reportingSinceMs = nowMs;
    this.report = report;
    this.reportAtMs = nowMs;
  }
}

/** How slow the call counts, or undefined if it says nothing of the instance: the caller gave it up. */
function sampleMs({ error }: Outcome, tookMs: number): number | undefined {
  if (error === undefined) return tookMs;
  const meaning = classifyErrors(undefined, { ok: false, error });
  if (meaning === 'ignored') return undefined;
  return meaning === 'success' ? tookMs : Math.max(tookMs, failureMs);
}

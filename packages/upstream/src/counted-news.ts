import type { Runtime, Timer } from '@heddle/kernel';
import { type CallCounts, CallTally } from '@heddle/traffic';

/** What has become of the calls of one process to an instance. */
export interface CountedInstance {
  readonly id: string;
  /** For its breaker; undefined if that has seen none. */
  readonly breaker?: CallCounts;
  /** For ejection, likewise. */
  readonly ejection?: CallCounts;
}

/** Under a storm of failures the others are told a hundred times a second, and not of each. */
export const newsMs = 10;

/** Gathers what becomes of the calls to a group, for the other processes. */
export class CountedNews {
  readonly #runtime: Pick<Runtime, 'timers'>;
  readonly #tell: (instances: readonly CountedInstance[]) => void;
  readonly #instances = new Map<string, { readonly breaker: CallTally; readonly ejection: CallTally }>();
  #timer: Timer | undefined;
  #withinMs = Infinity;

  constructor(runtime: Pick<Runtime, 'timers'>, tell: (instances: readonly CountedInstance[]) => void) {
    this.#runtime = runtime;
    this.#tell = tell;
  }

  /** A call that a breaker counts. It is told within that time; undefined: with the next that is in a hurry. */
  breaker(id: string, failed: boolean, withinMs: number | undefined): void {
    this.#of(id).breaker.add(failed, 0);
    this.#soon(withinMs);
  }

  /** A call that ejection counts; likewise. */
  ejection(id: string, failed: boolean, tookMs: number, withinMs: number | undefined): void {
    this.#of(id).ejection.add(failed, tookMs);
    this.#soon(withinMs);
  }

  /** The instance is gone. */
  forget(id: string): void {
    this.#instances.delete(id);
  }

  /** Tells nothing more. */
  close(): void {
    this.#timer?.cancel();
    this.#instances.clear();
  }

  #of(id: string): { readonly breaker: CallTally; readonly ejection: CallTally } {
    const known = this.#instances.get(id);
    if (known !== undefined) return known;
    const made = { breaker: new CallTally(), ejection: new CallTally() };
    this.#instances.set(id, made);
    return made;
  }

  #soon(withinMs: number | undefined): void {
    if (withinMs === undefined || withinMs >= this.#withinMs) return;
    this.#withinMs = withinMs;
    this.#timer?.cancel();
    this.#timer = this.#runtime.timers.after(withinMs, () => this.#tellAll());
  }

  #tellAll(): void {
    this.#timer = undefined;
    this.#withinMs = Infinity;
    const instances: CountedInstance[] = [];
    for (const [id, tallies] of this.#instances) {
      const breaker = tallies.breaker.take();
      const ejection = tallies.ejection.take();
      if (breaker === undefined && ejection === undefined) continue;
      instances.push({ id, ...(breaker && { breaker }), ...(ejection && { ejection }) });
    }
    if (instances.length > 0) this.#tell(instances);
  }
}

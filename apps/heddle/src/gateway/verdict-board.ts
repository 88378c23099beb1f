import type { Clock } from '@heddle/kernel';
import type { Verdict } from '@heddle/proxy';

interface Posted {
  readonly target: string;
  readonly verdict: Verdict;
  readonly atMs: number;
}

const mostPosted = 1000;

/** What holds of what workers have told, for a worker that begins later. */
export class VerdictBoard {
  readonly #clock: Clock;
  readonly #posted = new Map<string, Posted>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  post(target: string, verdict: Verdict): void {
    // Of a moment: it says nothing to a worker that begins later.
    if (verdict.kind === 'counted') return;
    const key = JSON.stringify([target, verdict.kind, verdict.id]);
    // Those that are told last stand last.
    this.#posted.delete(key);
    if (verdict.kind === 'breaker' && verdict.to === 'closed') return;
    this.#posted.set(key, { target, verdict, atMs: this.#clock.nowMs() });
    const [oldest] = this.#posted.keys();
    if (this.#posted.size > mostPosted && oldest !== undefined) this.#posted.delete(oldest);
  }

  /** All that holds now; ejections are for as long as is left of them. */
  get current(): { readonly target: string; readonly verdict: Verdict }[] {
    const nowMs = this.#clock.nowMs();
    return [...this.#posted.values()].flatMap(
      ({ target, verdict, atMs }): { readonly target: string; readonly verdict: Verdict }[] => {
        if (verdict.kind !== 'ejected') return [{ target, verdict }];
        const forMs = verdict.forMs - (nowMs - atMs);
        return forMs > 0 ? [{ target, verdict: { ...verdict, forMs } }] : [];
      },
    );
  }
}

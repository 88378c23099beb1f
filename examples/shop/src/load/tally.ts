import { Latencies } from './latencies.ts';

/** What the load generator has seen so far. Every request is in exactly one of `ok`, `refused` and `errors`. */
export interface LoadReport {
  readonly seconds: number;
  readonly sessions: {
    readonly started: number;
    readonly finished: number;
    readonly running: number;
    readonly skipped: number;
  };
  readonly requests: {
    readonly sent: number;
    /** 2xx. */
    readonly ok: number;
    /** 4xx: a no of the business, such as an empty shelf. */
    readonly refused: number;
    /** 5xx, and everything that is no answer, by status or reason. */
    readonly errors: Readonly<Record<string, number>>;
  };
  /** What became of the orders, by state or by the reason of the refusal. */
  readonly orders: Readonly<Record<string, number>>;
  /** Requests for an order that were sent again under the same key. */
  readonly orderRetries: number;
  readonly latencyMs: Readonly<Record<'p50' | 'p95' | 'p99' | 'max', number>>;
}

/** Counts. One for a run. */
export class Tally {
  readonly #latencies = new Latencies();
  readonly #errors: Record<string, number> = {};
  readonly #orders: Record<string, number> = {};
  #started = 0;
  #finished = 0;
  #skipped = 0;
  #ok = 0;
  #refused = 0;
  #orderRetries = 0;

  get running(): number {
    return this.#started - this.#finished;
  }

  sessionStarted(): void {
    this.#started += 1;
  }

  sessionFinished(): void {
    this.#finished += 1;
  }

  /** There were too many at once: the rate could not be kept, which must be seen. */
  sessionSkipped(): void {
    this.#skipped += 1;
  }

  answered(status: number, ms: number): void {
    this.#latencies.record(ms);
    if (status < 400) this.#ok += 1;
    else if (status < 500) this.#refused += 1;
    else increase(this.#errors, `HTTP_${status}`);
  }

  failed(reason: string, ms: number): void {
    this.#latencies.record(ms);
    increase(this.#errors, reason);
  }

  order(outcome: string): void {
    increase(this.#orders, outcome);
  }

  orderRetried(): void {
    this.#orderRetries += 1;
  }

  report(elapsedMs: number): LoadReport {
    const percentile = (percent: number): number =>
      Math.round(this.#latencies.percentileMs(percent) * 10) / 10;
    return {
      seconds: Math.round(elapsedMs / 100) / 10,
      sessions: {
        started: this.#started,
        finished: this.#finished,
        running: this.running,
        skipped: this.#skipped,
      },
      requests: {
        sent: this.#latencies.count,
        ok: this.#ok,
        refused: this.#refused,
        errors: { ...this.#errors },
      },
      orders: { ...this.#orders },
      orderRetries: this.#orderRetries,
      latencyMs: { p50: percentile(50), p95: percentile(95), p99: percentile(99), max: percentile(100) },
    };
  }
}

function increase(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

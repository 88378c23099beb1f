import type { DecisionRecord } from './decision-record.ts';

/** What a decision log keeps. */
export interface DecisionLogOptions {
  /** Names the process in its records. */
  readonly process: string;
  /** Records of calls that failed, the newest. Default 1000. */
  readonly failures?: number;
  /** Records of others, the newest. Default 500. */
  readonly samples?: number;
  /** Share of the calls that went well of which one is made, 0 to 1. Default 0.01. */
  readonly sampleRatio?: number;
}

/** Which records are wanted. */
export interface RecordQuery {
  /** A trace id or a correlation id. */
  readonly id?: string;
  readonly failedOnly?: boolean;
  /** Default 100. */
  readonly limit?: number;
}

/**
 * The newest decision records of one process, in memory of fixed size. Failures have a ring of their own, so that no
 * amount of calls that go well pushes them out.
 */
export class DecisionLog {
  readonly process: string;
  readonly sampleRatio: number;
  readonly #failures: Ring;
  readonly #samples: Ring;

  constructor(options: DecisionLogOptions) {
    this.process = options.process;
    this.sampleRatio = options.sampleRatio ?? 0.01;
    this.#failures = new Ring(options.failures ?? 1000);
    this.#samples = new Ring(options.samples ?? 500);
  }

  add(record: DecisionRecord): void {
    (record.cause === undefined ? this.#samples : this.#failures).add(record);
  }

  /** The records that match, the newest first. */
  find({ id, failedOnly = false, limit = 100 }: RecordQuery = {}): DecisionRecord[] {
    const all = failedOnly
      ? this.#failures.newestFirst()
      : [...this.#failures.newestFirst(), ...this.#samples.newestFirst()];
    return all
      .filter((record) => id === undefined || record.traceId === id || record.correlationId === id)
      .toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
      .slice(0, limit);
  }
}

class Ring {
  readonly #size: number;
  readonly #records: DecisionRecord[] = [];
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(record: DecisionRecord): void {
    if (this.#size === 0) return;
    this.#records[this.#next] = record;
    this.#next = (this.#next + 1) % this.#size;
  }

  newestFirst(): DecisionRecord[] {
    const older = this.#records.slice(0, this.#next);
    return [...this.#records.slice(this.#next), ...older].toReversed();
  }
}

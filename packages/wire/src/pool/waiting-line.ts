import { type Call, HeddleError } from '@heddle/kernel';

interface Waiting {
  readonly proceed: () => void;
  readonly refuse: (error: HeddleError) => void;
}

/** Requests that wait, in order, for a connection that can take them. */
export class WaitingLine {
  readonly #limit: number;
  readonly #waiting = new Set<Waiting>();

  /** `limit`: how many may wait. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves when it is this call's turn to look again. Rejects with `sent: false`: `resource_exhausted` /
   * `POOL_EXHAUSTED` when too many wait already, and as the call is cancelled.
   */
  join(call: Call): Promise<void> {
    if (this.#waiting.size >= this.#limit) {
      const message = `${this.#limit} requests wait for a connection already; send fewer at a time, or allow more connections`;
      const full = { code: 'resource_exhausted', reason: 'POOL_EXHAUSTED', message, sent: false } as const;
      return Promise.reject(new HeddleError(full));
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { proceed: resolve, refuse: reject };
      this.#waiting.add(waiting);
      call.onCancel((error) => {
        if (this.#waiting.delete(waiting)) reject(error.with({ sent: false }));
      });
    });
  }

  /** Lets the first `count` go on. */
  release(count: number): void {
    let left = count;
    for (const waiting of this.#waiting) {
      if (left-- <= 0) return;
      this.#waiting.delete(waiting);
      waiting.proceed();
    }
  }

  /** Sends all away. */
  refuseAll(error: HeddleError): void {
    for (const waiting of this.#waiting) waiting.refuse(error);
    this.#waiting.clear();
  }
}

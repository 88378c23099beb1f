import type { RateAsk, RateStore, RateVerdict } from '@heddle/traffic';

/** Decides for all workers, and gives back what one held that has died. */
export class RateDesk {
  readonly #store: Pick<RateStore, 'release'> & { take(asks: readonly RateAsk[]): RateVerdict };
  readonly #held = new Map<unknown, Map<number, readonly RateAsk[]>>();

  /** A store that answers at once. */
  constructor(store: Pick<RateStore, 'release'> & { take(asks: readonly RateAsk[]): RateVerdict }) {
    this.#store = store;
  }

  /** The decision for one call of a worker. `id` is the worker's, for `release`. */
  take(worker: unknown, id: number, asks: readonly RateAsk[]): RateVerdict {
    const verdict = this.#store.take(asks);
    if (!verdict.admitted || !asks.some(({ rule }) => rule.algorithm === 'concurrency')) return verdict;
    const held = this.#held.get(worker) ?? new Map<number, readonly RateAsk[]>();
    this.#held.set(worker, held.set(id, asks));
    return verdict;
  }

  /** The call has ended. */
  release(worker: unknown, id: number): void {
    const held = this.#held.get(worker);
    const asks = held?.get(id);
    if (asks === undefined) return;
    held?.delete(id);
    void this.#store.release(asks);
  }

  /** The worker has gone, and its calls with it. */
  gone(worker: unknown): void {
    for (const asks of this.#held.get(worker)?.values() ?? []) void this.#store.release(asks);
    this.#held.delete(worker);
  }
}

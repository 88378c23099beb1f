/** What a queue needs to know of a lease. */
export interface Expiring {
  readonly ttlMs: number;
  renewedAtMs: number;
}

/**
 * Leases in the order in which they lapse, at O(1) per renewal. Leases of one length lapse in the order of their
 * renewal, so a queue per length needs no sorting: a renewed one goes to the end.
 */
export class LeaseQueue<L extends Expiring> {
  readonly #byTtl = new Map<number, Set<L>>();

  /** Starts or renews a lease. */
  renew(lease: L, nowMs: number): void {
    lease.renewedAtMs = nowMs;
    const queue = this.#byTtl.get(lease.ttlMs);
    if (queue === undefined) {
      this.#byTtl.set(lease.ttlMs, new Set([lease]));
      return;
    }
    queue.delete(lease);
    queue.add(lease);
  }

  remove(lease: L): void {
    const queue = this.#byTtl.get(lease.ttlMs);
    queue?.delete(lease);
    if (queue?.size === 0) this.#byTtl.delete(lease.ttlMs);
  }

  /** Those whose time is up; of one length, in order of renewal. */
  lapsed(nowMs: number): L[] {
    const found: L[] = [];
    for (const [ttlMs, queue] of this.#byTtl) {
      for (const lease of queue) {
        if (lease.renewedAtMs + ttlMs > nowMs) break;
        found.push(lease);
      }
    }
    return found;
  }
}

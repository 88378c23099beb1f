/** When to distrust a wave of lapsing leases. */
export interface PreservationOptions {
  /** Stop evicting when more than this share of the leases lapse within the window. Default 0.15. */
  readonly share?: number;
  /** Default 15000. */
  readonly windowMs?: number;
  /**
   * Never for fewer than this many. Default 10: in a small fleet one crash is a large share, and a dead instance must
   * go when its lease does.
   */
  readonly leastLapsed?: number;
}

/** What changed in the mode, if anything. */
export type PreservationTurn =
  | { readonly kind: 'preserving'; readonly lapsed: number; readonly of: number }
  | { readonly kind: 'recovered'; readonly live: number; readonly of: number };

/**
 * Eureka's self-preservation: when many leases lapse together, it is more likely that the network between them and the
 * registry has failed than that all of them have died. Nothing is evicted until renewals have recovered: until as many
 * leases live (old or new ones) as would not have set it off. An instance that is taken back is no longer waited for.
 *
 * Source: Netflix Eureka wiki, "Server self preservation mode".
 */
export class SelfPreservation {
  readonly #share: number;
  readonly #windowMs: number;
  readonly #leastLapsed: number;
  #evictions: { readonly atMs: number; readonly count: number }[] = [];
  /** How many leases there were before the wave; undefined while all is well. */
  #expected: number | undefined;

  constructor({ share = 0.15, windowMs = 15_000, leastLapsed = 10 }: PreservationOptions = {}) {
    this.#share = share;
    this.#windowMs = windowMs;
    this.#leastLapsed = leastLapsed;
  }

  get active(): boolean {
    return this.#expected !== undefined;
  }

  /** Says whether `lapsed` of `total` leases may be evicted now, and what changed. The caller then evicts them all. */
  judge(
    lapsed: number,
    total: number,
    nowMs: number,
  ): { evict: boolean; turn: PreservationTurn | undefined } {
    return this.#expected === undefined
      ? this.#judgeWave(lapsed, total, nowMs)
      : this.#judgeRecovery(total - lapsed, this.#expected);
  }

  /** One lease was given back: it is not expected to return. */
  forget(): void {
    if (this.#expected !== undefined) this.#expected -= 1;
  }

  #judgeWave(lapsed: number, total: number, nowMs: number): ReturnType<SelfPreservation['judge']> {
    this.#evictions = this.#evictions.filter(({ atMs }) => atMs + this.#windowMs > nowMs);
    const evicted = this.#evictions.reduce((sum, { count }) => sum + count, 0);
    const together = evicted + lapsed;
    const before = evicted + total;
    if (lapsed > 0 && together >= this.#leastLapsed && together > this.#share * before) {
      this.#expected = before;
      return { evict: false, turn: { kind: 'preserving', lapsed: together, of: before } };
    }
    if (lapsed > 0) this.#evictions.push({ atMs: nowMs, count: lapsed });
    return { evict: true, turn: undefined };
  }

  #judgeRecovery(live: number, expected: number): ReturnType<SelfPreservation['judge']> {
    if (live < (1 - this.#share) * expected) return { evict: false, turn: undefined };
    this.#expected = undefined;
    this.#evictions = [];
    return { evict: true, turn: { kind: 'recovered', live, of: expected } };
  }
}

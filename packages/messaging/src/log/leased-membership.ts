import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { JoinOptions, Membership } from '../engine.ts';
import { LeasedClaim } from './leased-claim.ts';
import type { Holdings, LogStore, MemberId } from './log-store.ts';

/** Times of membership, in milliseconds. */
export interface LeaseTimes {
  /** A member that is silent for so long has left. Default 10000. */
  readonly leaseMs?: number;
  /** How often a partition is looked at although nobody has said that there is something new. Default 1000. */
  readonly pollMs?: number;
}

// How far apart members ask who have all heard of a change.
const spreadMs = 50;

/**
 * A member of a group: says that it lives, turns what it is granted into claims, and ends them when they are others'
 * or the lease may have run out. The lease is counted from before it was asked for, on the monotonic clock.
 */
export class LeasedMembership implements Membership {
  readonly #runtime: Runtime;
  readonly #store: LogStore;
  readonly #options: JoinOptions;
  readonly #id: MemberId;
  readonly #leaseMs: number;
  readonly #pollMs: number;
  readonly #claims = new Map<number, LeasedClaim>();
  readonly #stopListening: readonly (() => void)[];
  #lapse: Timer | undefined;
  #next: Timer | undefined;
  #ended = false;
  #left = false;
  #renewing: Promise<void>;

  constructor(runtime: Runtime, store: LogStore, options: JoinOptions, times: LeaseTimes) {
    const { leaseMs = 10_000, pollMs = 1000 } = times;
    this.#runtime = runtime;
    this.#store = store;
    this.#options = options;
    this.#id = { topic: options.topic.name, group: options.group, member: options.member };
    this.#leaseMs = leaseMs;
    this.#pollMs = pollMs;
    const { topic, group } = this.#id;
    this.#stopListening = [
      store.onAppend(topic, (partition) => {
        if (partition !== undefined) this.#claims.get(partition)?.poke();
        else for (const claim of this.#claims.values()) claim.poke();
      }),
      store.onMembers(topic, group, () => this.#renewSoon()),
    ];
    this.#renewing = this.#renew();
  }

  end(): void {
    this.#ended = true;
    for (const claim of this.#claims.values()) claim.end();
  }

  async leave(): Promise<void> {
    if (this.#left) return;
    this.end();
    this.#left = true;
    this.#next?.cancel();
    this.#lapse?.cancel();
    for (const stop of this.#stopListening) stop();
    await this.#renewing;
    await this.#store.leave(this.#id).catch(() => {});
  }

  async #renew(): Promise<void> {
    if (this.#left) return;
    const askedMs = this.#runtime.clock.nowMs();
    const { start, temporary } = this.#options;
    let problem: HeddleError | undefined;
    try {
      const holdings = await this.#store.renew(this.#id, { start, temporary, leaseMs: this.#leaseMs });
      this.#heldUntil((holdings.sinceMs ?? askedMs) + this.#leaseMs);
      this.#follow(holdings);
    } catch (thrown) {
      problem = HeddleError.from(thrown);
    }
    this.#options.onProblem(problem);
    if (this.#left) return;
    // Sooner after a failure, and while others still have what is ours.
    const waitMs = this.#leaseMs / (problem === undefined ? 3 : 10);
    this.#renewAfter(waitMs * (0.8 + 0.2 * this.#runtime.random.float()));
  }

  /** Members have come or gone. All hear of it at once, and need not ask at once. */
  #renewSoon(): void {
    if (this.#next !== undefined && !this.#left) this.#renewAfter(spreadMs * this.#runtime.random.float());
  }

  #renewAfter(delayMs: number): void {
    this.#next?.cancel();
    this.#next = this.#runtime.timers.after(delayMs, () => {
      this.#next = undefined;
      this.#renewing = this.#renew();
    });
  }

  /** Once the lease may have ended, others may have our partitions. */
  #heldUntil(untilMs: number): void {
    this.#lapse?.cancel();
    this.#lapse = this.#runtime.timers.after(Math.max(0, untilMs - this.#runtime.clock.nowMs()), () => {
      for (const claim of this.#claims.values()) claim.lose();
    });
  }

  #giveBack(partition: number, epoch: number): void {
    // If this fails too, the next renewal says so.
    this.#store.release(this.#id, partition, epoch).catch(() => {});
  }

  #follow({ owned, surplus }: Holdings): void {
    const ours = new Map(owned.map((holding) => [holding.partition, holding]));
    for (const [partition, claim] of this.#claims) {
      const holding = ours.get(partition);
      if (holding?.epoch !== claim.epoch) claim.lose();
      else claim.compare(holding.next);
      // Until its work has ended, no other claim of the partition may begin here.
      if (claim.released) this.#claims.delete(partition);
    }
    for (const partition of surplus) {
      const claim = this.#claims.get(partition);
      if (claim !== undefined) claim.end();
      // Its work has ended, and the store was not told or did not hear: nobody else would ever have it.
      else this.#giveBack(partition, ours.get(partition)?.epoch ?? 0);
    }
    if (this.#ended) return;
    for (const holding of owned) {
      if (this.#claims.has(holding.partition) || surplus.includes(holding.partition)) continue;
      const claim = new LeasedClaim({
        runtime: this.#runtime,
        store: this.#store,
        id: this.#id,
        holding,
        pollMs: this.#pollMs,
      });
      this.#claims.set(holding.partition, claim);
      this.#options.onClaim(claim);
    }
  }
}

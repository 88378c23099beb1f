import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { LeaseClient } from './lease-client.ts';
import type { ConfirmedLease } from './lease-keeper.ts';

/** What a standby works with. Times are in `runtime.clock.nowMs()`, that of its own thread. */
export interface LeaseStandbyOptions {
  readonly runtime: Runtime;
  readonly leases: Pick<LeaseClient, 'renew'>;
  /** For how long it stands in for a holder that does not answer `ping`. */
  readonly maxSilenceMs: number;
  /** Asks the holder for a sign of life, which is told by `heard`. */
  readonly ping: () => void;
  /** A lease was confirmed by a request that was sent at `atMs`. */
  readonly onConfirmed: (lease: string, atMs: number) => void;
}

interface Standby {
  readonly lease: ConfirmedLease;
  confirmedAtMs: number;
  timer: Timer | undefined;
}

// After a renewal that failed: some tries before the lease is over, and no storm.
const retryShare = 0.1;

/**
 * The half of a `LeaseKeeper` that is in the other thread: knows the leases, and renews each when half of it has
 * passed. A holder that is well renews at a third, and its `keep` puts the moment off. When a renewal is due, the
 * holder is asked for a sign of life; after `maxSilenceMs` without one all leases are let go, so the last of them ends
 * that time, half a lease and a lease after the holder came to a standstill. A lease whose time is over (a stopped
 * process wakes) is let go too: registering anew is for the holder.
 */
export class LeaseStandby {
  readonly #options: LeaseStandbyOptions;
  readonly #standbys = new Map<string, Standby>();
  /** Since when the holder has not answered; undefined while nothing is asked of it. */
  #askedAtMs: number | undefined;

  constructor(options: LeaseStandbyOptions) {
    this.#options = options;
  }

  /** How many leases it would renew. */
  get size(): number {
    return this.#standbys.size;
  }

  /** See `LeaseKeeper.keep`. */
  keep(lease: ConfirmedLease): void {
    this.drop(lease.service, lease.id);
    const standby: Standby = { lease, confirmedAtMs: lease.confirmedAtMs, timer: undefined };
    this.#standbys.set(keyOf(lease.service, lease.id), standby);
    this.#await(standby);
    this.heard();
  }

  /** See `LeaseKeeper.drop`. */
  drop(service: string, id: string): void {
    const key = keyOf(service, id);
    this.#standbys.get(key)?.timer?.cancel();
    this.#standbys.delete(key);
  }

  /** The holder lives. */
  heard(): void {
    this.#askedAtMs = undefined;
  }

  /** Lets all go. */
  close(): void {
    for (const { timer } of this.#standbys.values()) timer?.cancel();
    this.#standbys.clear();
  }

  #await(standby: Standby): void {
    const dueMs = standby.confirmedAtMs + standby.lease.ttlMs / 2;
    this.#later(standby, Math.max(0, dueMs - this.#options.runtime.clock.nowMs()));
  }

  #later(standby: Standby, delayMs: number): void {
    standby.timer = this.#options.runtime.timers.after(delayMs, () => void this.#due(standby));
  }

  async #due(standby: Standby): Promise<void> {
    const { service, id, lease, ttlMs } = standby.lease;
    const startedMs = this.#options.runtime.clock.nowMs();
    if (startedMs >= standby.confirmedAtMs + ttlMs) {
      this.drop(service, id);
      return;
    }
    if (this.#isSilent(startedMs)) {
      this.#giveUp();
      return;
    }
    let failure: HeddleError | undefined;
    try {
      await this.#options.leases.renew(service, id, lease, undefined);
    } catch (thrown) {
      failure = HeddleError.from(thrown);
    }
    // Meanwhile the holder may have renewed it, or given it back.
    if (this.#standbys.get(keyOf(service, id)) !== standby) return;
    if (failure === undefined) {
      standby.confirmedAtMs = startedMs;
      this.#options.onConfirmed(lease, startedMs);
      this.#await(standby);
    } else if (failure.reason === 'LEASE_LOST' || failure.reason === 'LEASE_SUPERSEDED') {
      this.drop(service, id);
    } else {
      this.#later(standby, retryShare * ttlMs);
    }
  }

  /** Asks the holder, unless it is asked already: then says whether it has been silent for too long. */
  #isSilent(nowMs: number): boolean {
    if (this.#askedAtMs !== undefined) return nowMs - this.#askedAtMs >= this.#options.maxSilenceMs;
    this.#askedAtMs = nowMs;
    this.#options.ping();
    return false;
  }

  #giveUp(): void {
    const { runtime, maxSilenceMs } = this.#options;
    const leases = this.size;
    this.close();
    runtime.log(
      'error',
      'the thread that holds the leases is at a standstill: they are not renewed any more',
      {
        leases,
        maxSilenceMs,
      },
    );
  }
}

function keyOf(service: string, id: string): string {
  return `${service}/${id}`;
}

import { type Instance, sameInstance } from '../../registry/instance.ts';
import type { ReadLease } from './lease-object.ts';

/** A lease that is followed. */
interface Followed {
  lease: ReadLease;
  /** When it ends, on our monotonic clock, if it is not renewed. */
  endsAtMs: number;
}

/** Now, in both times: ours, which never jumps, and the server's, in which leases are written. */
export interface Moment {
  readonly nowMs: number;
  readonly serverMs: number;
}

/**
 * Which leases hold. Pure: time comes with each call.
 *
 * A lease that is seen for the first time has what is left of it by the server's time. After that only renewals count
 * that are seen here, each worth a whole lease from then on: nobody's clock is compared with another's. One that held
 * when a watch broke has a whole lease after it, since who cannot see cannot judge.
 */
export class LiveLeases {
  #followed = new Map<string, Followed>();

  /** What is there, at the beginning and after a break, since `lastSeenMs`. */
  replace(leases: readonly ReadLease[], at: Moment, lastSeenMs: number): void {
    const before = this.#followed;
    this.#followed = new Map();
    for (const lease of leases) {
      const known = before.get(lease.object.metadata.name);
      if (known !== undefined) this.#followed.set(lease.object.metadata.name, known);
      this.put(lease, at);
      const held = known !== undefined && known.endsAtMs > lastSeenMs;
      if (held) known.endsAtMs = Math.max(known.endsAtMs, at.nowMs + lease.ttlMs);
    }
  }

  /** One has been written. True if that is news for those who want to know which instances there are. */
  put(lease: ReadLease, { nowMs, serverMs }: Moment): boolean {
    const { ttlMs, instance, holder, object } = lease;
    const known = this.#followed.get(object.metadata.name);
    if (known === undefined) {
      const endsAtMs = nowMs + ttlMs - Math.max(0, serverMs - instance.lastHeartbeatMs);
      this.#followed.set(object.metadata.name, { lease, endsAtMs });
      return true;
    }
    const before = known.lease;
    const wasAlive = known.endsAtMs > nowMs;
    const isRenewed =
      before.instance.lastHeartbeatMs !== instance.lastHeartbeatMs || before.holder !== holder;
    known.lease = lease;
    if (isRenewed) known.endsAtMs = nowMs + ttlMs;
    return !sameInstance(before.instance, instance) || wasAlive !== known.endsAtMs > nowMs;
  }

  /** True if it was there. */
  remove(name: string): boolean {
    return this.#followed.delete(name);
  }

  /** Nothing could be seen for this long: what held then holds as much longer. */
  postpone(byMs: number, nowMs: number): void {
    for (const each of this.#followed.values()) if (each.endsAtMs > nowMs - byMs) each.endsAtMs += byMs;
  }

  /** Those that end later than this. */
  alive(atMs: number): Instance[] {
    return this.#all.filter(({ endsAtMs }) => endsAtMs > atMs).map(({ lease }) => lease.instance);
  }

  /** Those that ended then or before. */
  over(atMs: number): ReadLease[] {
    return this.#all.filter(({ endsAtMs }) => endsAtMs <= atMs).map(({ lease }) => lease);
  }

  /** When the next one ends after this time; undefined if none does. */
  nextEndMs(atMs: number): number | undefined {
    const ends = this.#all.map(({ endsAtMs }) => endsAtMs).filter((endMs) => endMs > atMs);
    return ends.length === 0 ? undefined : ends.reduce((a, b) => Math.min(a, b));
  }

  get #all(): Followed[] {
    return [...this.#followed.values()];
  }
}

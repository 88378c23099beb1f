/** A lease that a registry has confirmed. */
export interface ConfirmedLease {
  readonly service: string;
  readonly id: string;
  /** Identifies the holder, see `LeasedInstance`. */
  readonly lease: string;
  readonly ttlMs: number;
  /** When the confirmed request was sent, in the `clock.nowMs()` time of the thread that says so. */
  readonly confirmedAtMs: number;
}

/**
 * Renews leases when the thread that holds them is too busy to: a port, behind which is another thread. The holder
 * goes on renewing by itself; the keeper steps in when half of a lease has passed without a word. So it costs nothing
 * while all is well. It gives up when the holder has been silent for too long: a process that has come to a standstill
 * must lose its leases, or callers are sent to it for ever.
 */
export interface LeaseKeeper {
  /** The lease was confirmed now: called after every success. */
  keep(lease: ConfirmedLease): void;
  /** The lease was lost or is given back: it must not be renewed any more. */
  drop(service: string, id: string): void;
  /**
   * When the keeper had this lease confirmed last, in the caller's `clock.nowMs()` time or somewhat earlier;
   * `-Infinity` if it never had to. Known at once, without waiting for a message.
   */
  confirmedAtMs(lease: string): number;
  /** Ends the keeper. Nothing is renewed any more. */
  close(): void;
}

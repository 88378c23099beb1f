import type { Address, LogLevel } from '@heddle/kernel';
import type { ConfirmedLease } from '../../registry/lease-keeper.ts';

/** What a lease thread is started with. */
export interface LeaseThreadData {
  readonly addresses: readonly Address[];
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly maxBlockedMs: number;
}

/**
 * To the lease thread. Each thread has a clock of its own; `nowMs` is the sender's, from which the receiver learns how
 * far apart they are. `cell` is where it writes when it had the lease confirmed: whole milliseconds of the sender's
 * clock, readable even before the sender has come round to its messages.
 */
export type ToLeaseThread =
  | {
      readonly kind: 'keep';
      readonly lease: ConfirmedLease;
      readonly cell: SharedArrayBuffer;
      readonly nowMs: number;
    }
  | { readonly kind: 'drop'; readonly service: string; readonly id: string }
  | { readonly kind: 'alive'; readonly nowMs: number };

/** From the lease thread. */
export type FromLeaseThread =
  | { readonly kind: 'ping' }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };

/** Stands in a cell until there is a time. */
export const never: bigint = -(2n ** 63n);

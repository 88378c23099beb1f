import type { LogLevel, Runtime } from '@heddle/kernel';
import type { LeaseClient } from '../../registry/lease-client.ts';
import type { ConfirmedLease } from '../../registry/lease-keeper.ts';

/** What a lease thread is started with. */
export interface LeaseThreadData {
  /** The address of a module that exports a `LeaseModule`. */
  readonly module: string;
  /** For its `openLeases`. */
  readonly options: unknown;
  readonly maxBlockedMs: number;
}

/** What a module exports so that a lease thread can renew at its backend. */
export interface LeaseModule<Options> {
  /** Renews with connections of its own, over the thread's runtime. `options` came as a structured clone. */
  readonly openLeases: (runtime: Runtime, options: Options) => Pick<LeaseClient, 'renew'>;
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

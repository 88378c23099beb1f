import { type CallKey, callKey } from './call-key.ts';

/** What every call carries beside its deadline. Each adapter puts them on its wire; none is made up on the way. */
export interface TraceContext {
  /** W3C `traceparent`: 32 and 16 lower-case hex digits, and the sampled flag. */
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  /** W3C `tracestate`, passed on as it came. */
  readonly state?: string;
  /** It began where nobody takes spans: it is not sent on, so that whoever comes next decides on sampling. */
  readonly undecided?: true | undefined;
}

/** How much a call matters when not all can be served. `critical` is shed last. */
export type Priority = 'critical' | 'normal' | 'sheddable';

/** Whether a repeated call has the effect of one; declared by the method's contract, never guessed. */
export type Idempotency = 'unknown' | 'no_side_effects' | 'idempotent';

/** `x-correlation-id`: one for all calls that a single request from outside set off. */
export const correlationId: CallKey<string | undefined> = callKey<string | undefined>(
  'correlation-id',
  undefined,
);
/** `x-user-id`: the subject on whose behalf the call is made; set by an edge that has authenticated it. */
export const userId: CallKey<string | undefined> = callKey<string | undefined>('user-id', undefined);
/** `x-tenant-id`. */
export const tenantId: CallKey<string | undefined> = callKey<string | undefined>('tenant-id', undefined);
/** `traceparent` and `tracestate`. */
export const traceContext: CallKey<TraceContext | undefined> = callKey<TraceContext | undefined>(
  'trace',
  undefined,
);
/** W3C `baggage`, as it came. */
export const baggage: CallKey<string | undefined> = callKey<string | undefined>('baggage', undefined);
/** Which attempt at the same work this is, from 1. */
export const attempt: CallKey<number> = callKey('attempt', 1);
/** Default `normal`. */
export const priority: CallKey<Priority> = callKey<Priority>('priority', 'normal');
/** `idempotency-key`: the receiver performs the work of one key once. */
export const idempotencyKey: CallKey<string | undefined> = callKey<string | undefined>(
  'idempotency-key',
  undefined,
);
/** From the method's contract (protobuf `idempotency_level`, HTTP method). Default `unknown`. */
export const idempotency: CallKey<Idempotency> = callKey<Idempotency>('idempotency', 'unknown');

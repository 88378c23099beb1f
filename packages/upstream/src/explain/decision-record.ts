import type { Code } from '@heddle/kernel';

/** How something ended: `ok`, or an error by its code and reason. */
export interface RecordedOutcome {
  readonly code: Code | 'ok';
  readonly reason?: string;
  readonly message?: string;
  /** False: it provably reached no handler. */
  readonly sent?: boolean;
  /** What the protocol adds, such as an HTTP status. */
  readonly answer?: string;
}

/** One candidate as the balancer saw it. */
export interface RecordedCandidate {
  readonly id: string;
  readonly address: string;
  readonly zone: string;
  readonly weight: number;
  readonly health: string;
  /** Calls of this client that are in flight there. */
  readonly inFlight: number;
  /** Moving average; undefined where none is known. */
  readonly latencyMs?: number;
  /** Why no call should go there, or fewer; undefined for one in good standing. */
  readonly exclusion?: string;
}

/** One try at the call. */
export interface RecordedAttempt {
  readonly number: number;
  /** Undefined if no instance was found. */
  readonly instance?: string;
  readonly address?: string;
  /** After the call's start, in milliseconds. */
  readonly atMs: number;
  /** Undefined: it had not ended when the call did. */
  readonly tookMs?: number;
  readonly outcome?: RecordedOutcome;
  /** What was decided then: `retry after 12 ms`, `given up: not_idempotent`. */
  readonly next?: string;
}

/** What made a call end as it did, for those that did not end well. */
export interface RecordedCause {
  readonly reason: string;
  /** One sentence, with the place and what lies beneath. */
  readonly text: string;
}

/** All that was decided about one call. JSON: this is what `heddle explain` reads and the console shows. */
export interface DecisionRecord {
  readonly traceId?: string;
  readonly correlationId?: string;
  /** The process that made the call. */
  readonly process: string;
  /** `client`: a call that the process made; `server`: one that it answered; `gateway`: one that it passed on. */
  readonly side: 'client' | 'server' | 'gateway';
  /** `shop.order.v1.OrderService/Get`, `GET /orders`. */
  readonly operation: string;
  /** As it was written: `discovery:///order`. Empty on a server. */
  readonly target: string;
  /** ISO 8601. */
  readonly at: string;
  readonly tookMs: number;
  readonly outcome: RecordedOutcome;
  readonly cause?: RecordedCause;
  /** What was left of the caller's patience at the end, in milliseconds; undefined: it had no deadline. */
  readonly deadlineLeftMs?: number;
  readonly route?: { readonly name: string; readonly rule: string };
  /** What the registry had said when the last attempt was made. */
  readonly snapshot?: {
    readonly revision: number;
    readonly term: number;
    readonly ageMs: number;
    readonly stale: boolean;
    readonly source: string;
    readonly panic: boolean;
    /** How many it had besides, by the reason that no call goes to them. */
    readonly leftOut: Readonly<Record<string, number>>;
  };
  readonly policy?: string;
  readonly candidates: readonly RecordedCandidate[];
  /** How many candidates there were, if more than are listed. */
  readonly candidateCount: number;
  readonly attempts: readonly RecordedAttempt[];
  /** How the layers of the stack stood at the end: breaker, retry budget, buckets, limits. */
  readonly layers: Readonly<Record<string, string>>;
}

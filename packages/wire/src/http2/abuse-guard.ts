import type { Clock } from '@heddle/kernel';
import { Budget } from './budget.ts';
import { ConnectionFault, errorCode } from './error-code.ts';
import type { Http2Limits } from './limits.ts';

/** How often each kind of abuse, or of what becomes abuse when there is too much of it, was seen on a connection. */
export interface AbuseCounters {
  /** RST_STREAM from the peer on a stream that was not finished. */
  resets: number;
  /** Streams that we had to reset because the peer broke the protocol. */
  faults: number;
  settings: number;
  pings: number;
  priorities: number;
  windowUpdates: number;
  /** DATA without content that does not end its stream. */
  emptyData: number;
  /** Frames of types that we do not know, and stray ones on streams that are gone. */
  strays: number;
  /** Header sections over the limit of bytes or of fields, after decoding. */
  largeHeaders: number;
  /** Header blocks over the limit of bytes or of CONTINUATION frames, before decoding. */
  continuations: number;
  /** Streams refused because too many were open or still being worked on. */
  refusedStreams: number;
  /** Content that the peer neither read nor gave a window for in time. */
  stalledSends: number;
  /** Requests whose content stopped coming. */
  stalledBodies: number;
  /** Output other than content that the peer let pile up. */
  unreadOutput: number;
  /** Preface, SETTINGS or the end of a header block that did not come in time. */
  slowHeaders: number;
}

/** Counters that have counted nothing yet. */
export function noAbuse(): AbuseCounters {
  return {
    resets: 0,
    faults: 0,
    settings: 0,
    pings: 0,
    priorities: 0,
    windowUpdates: 0,
    emptyData: 0,
    strays: 0,
    largeHeaders: 0,
    continuations: 0,
    refusedStreams: 0,
    stalledSends: 0,
    stalledBodies: 0,
    unreadOutput: 0,
    slowHeaders: 0,
  };
}

/** Adds what one connection has counted to what others have. */
export function addCounters(sum: AbuseCounters, more: Readonly<AbuseCounters>): void {
  for (const name of Object.keys(sum) as (keyof AbuseCounters)[]) sum[name] += more[name];
}

/** The kinds that a budget bounds. */
export type ControlKind = 'settings' | 'pings' | 'priorities' | 'windowUpdates' | 'emptyData' | 'strays';

/** What GOAWAY says to a peer that sends too many PINGs, in gRPC's words. */
export const tooManyPings = 'too_many_pings';

const workAllows = 4;
// As in gRPC (gRFC A8): a client's clock and the way may bring two together.
const hastyPings = 2;

/** Counts what costs us without being work, and ends the connection when it is out of proportion. */
export class AbuseGuard {
  readonly counters: AbuseCounters = noAbuse();
  readonly #limits: Http2Limits;
  readonly #clock: Clock;
  readonly #controls: Budget;
  readonly #resets: Budget;
  readonly #faults: Budget;
  #hasty = 0;
  #pingedMs = Number.NEGATIVE_INFINITY;

  constructor(limits: Http2Limits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#controls = new Budget(clock, limits.controlBurst, limits.controlsPerSecond);
    this.#resets = new Budget(clock, limits.resetBurst, limits.resetsPerSecond);
    this.#faults = new Budget(clock, limits.faultBurst, limits.faultsPerSecond);
  }

  /** A request began, or content went one way or the other. */
  work(): void {
    this.#hasty = 0;
    this.#controls.give(workAllows);
  }

  /** A PING, while so many streams are open. Throws when they come too often. */
  ping(streams: number): void {
    this.control('pings');
    const { minPingMs, minIdlePingMs } = this.#limits;
    const leastMs = streams > 0 ? minPingMs : minIdlePingMs;
    if (leastMs === 0) return;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#pingedMs < leastMs && ++this.#hasty > hastyPings) throw tooMany('pings');
    this.#pingedMs = nowMs;
  }

  /** A frame that carries no work; `cost` weighs it against a PING. Throws when there are too many. */
  control(kind: ControlKind, cost = 1): void {
    this.counters[kind]++;
    if (!this.#controls.take(cost)) throw tooMany(kind);
  }

  /** The peer has reset an unfinished stream. Throws when that happens too often (CVE-2023-44487). */
  reset(): void {
    this.counters.resets++;
    if (!this.#resets.take(1)) throw tooMany('resets');
  }

  /** The peer has made us reset a stream. Throws when that happens too often. */
  fault(): void {
    this.counters.faults++;
    if (!this.#faults.take(1)) throw tooMany('faults');
  }
}

function tooMany(kind: keyof AbuseCounters): ConnectionFault {
  // gRPC's clients know this word, and then ask less often.
  const why = kind === 'pings' ? tooManyPings : `too many ${kind}`;
  return new ConnectionFault(errorCode.enhanceYourCalm, why);
}

import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { Http2Limits } from './limits.ts';

/** A connection that is asked whether its peer is still there. */
export interface KeptAlive {
  readonly runtime: Runtime;
  readonly limits: Http2Limits;
  /** Streams that are open. */
  readonly active: number;
  /** Sends a PING; what comes back is told to `heard`. */
  askAlive(): void;
  /** Drops the connection. */
  destroy(error: HeddleError): void;
}

/**
 * Finds out that a peer is gone without a word, as after the loss of a machine or of a path: a silence of `keepaliveMs`
 * with streams open, or of `keepaliveIdleMs` without, is answered with a PING, and the connection is dropped when nothing
 * at all comes for `keepaliveTimeoutMs` after that (gRFC A8). One timer, which only the answer to a PING touches.
 */
export class Keepalive {
  readonly #session: KeptAlive;
  #timer: Timer | undefined;
  #heardMs: number;
  /** When the PING was sent that nothing has followed yet. */
  #askedMs: number | undefined;

  /** Undefined where the limits ask for none. */
  static of(session: KeptAlive): Keepalive | undefined {
    const { keepaliveMs, keepaliveIdleMs } = session.limits;
    return keepaliveMs > 0 || keepaliveIdleMs > 0 ? new Keepalive(session) : undefined;
  }

  private constructor(session: KeptAlive) {
    this.#session = session;
    this.#heardMs = session.runtime.clock.nowMs();
    this.#next(this.#shortestMs);
  }

  /** Something has come from the peer. */
  heard(): void {
    this.#heardMs = this.#session.runtime.clock.nowMs();
    if (this.#askedMs === undefined) return;
    this.#askedMs = undefined;
    this.#timer?.cancel();
    this.#next(this.#shortestMs);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  get #shortestMs(): number {
    const { keepaliveMs, keepaliveIdleMs } = this.#session.limits;
    return Math.min(keepaliveMs || Number.POSITIVE_INFINITY, keepaliveIdleMs || Number.POSITIVE_INFINITY);
  }

  #next(ms: number): void {
    this.#timer = this.#session.runtime.timers.after(Math.max(1, ms), () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    const { runtime, limits, active } = this.#session;
    const nowMs = runtime.clock.nowMs();
    if (this.#askedMs !== undefined) {
      this.#session.destroy(silent(limits.keepaliveTimeoutMs));
      return;
    }
    const patienceMs = active > 0 ? limits.keepaliveMs : limits.keepaliveIdleMs;
    const leftMs = this.#heardMs + patienceMs - nowMs;
    if (patienceMs === 0) this.#next(this.#shortestMs);
    else if (leftMs > 0) this.#next(Math.min(leftMs, this.#shortestMs));
    else {
      this.#askedMs = nowMs;
      this.#session.askAlive();
      this.#next(limits.keepaliveTimeoutMs);
    }
  }
}

function silent(ms: number): HeddleError {
  const message = `nothing came from the peer for ${ms} ms after it was asked by a PING whether it is still there`;
  return new HeddleError({ code: 'unavailable', reason: 'KEEPALIVE_TIMEOUT', message });
}

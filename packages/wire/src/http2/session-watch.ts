import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import { ConnectionFault, errorCode } from './error-code.ts';
import type { Link } from './link.ts';
import type { Http2Stream } from './stream.ts';
import type { StreamTable } from './stream-table.ts';

// How many looks a timeout is measured by: it strikes at most a fourth too late.
const looks = 4;

/** A connection that is looked at. */
export interface Watched extends Link {
  readonly runtime: Runtime;
  readonly streams: StreamTable<Http2Stream>;
  readonly settingsAcknowledged: boolean;
  /** A header block is unfinished since then; undefined if none is. */
  readonly headerBegunMs: number | undefined;
  /** The last stream that the peer has opened. */
  readonly lastPeerStream: number;
  /** No stream has been open for `idleTimeoutMs`. */
  idle(): void;
  /** Ends the connection, and says why. */
  fail(fault: ConnectionFault): void;
  /** Drops the connection. */
  destroy(): void;
}

/**
 * Looks at a connection now and then for what takes too long. One timer for all of it, whatever happens in between:
 * a look costs nothing on the way of a request.
 */
export class SessionWatch {
  readonly #session: Watched;
  readonly #everyMs: number;
  #timer: Timer | undefined;
  #startedMs = 0;
  #idleLooks = 0;
  #lastStreamSeen = 0;
  #congestedLooks = 0;

  constructor(session: Watched) {
    const { settingsTimeoutMs, headerTimeoutMs, idleTimeoutMs, bodyTimeoutMs, sendTimeoutMs } =
      session.limits;
    this.#session = session;
    this.#everyMs =
      Math.min(settingsTimeoutMs, headerTimeoutMs, idleTimeoutMs, bodyTimeoutMs, sendTimeoutMs) / looks;
  }

  start(): void {
    this.#startedMs = this.#session.runtime.clock.nowMs();
    this.#next();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The peer has read what was queued. */
  drained(): void {
    this.#congestedLooks = 0;
  }

  #next(): void {
    this.#timer = this.#session.runtime.timers.after(this.#everyMs, () => {
      try {
        this.#look();
      } catch (thrown) {
        if (!(thrown instanceof ConnectionFault)) throw thrown;
        this.#session.fail(thrown);
      }
      if (this.#timer !== undefined) this.#next();
    });
  }

  #look(): void {
    const session = this.#session;
    const { limits } = session;
    this.#checkHeaders(session.runtime.clock.nowMs());
    for (const stream of session.streams.values()) {
      this.#checkSend(stream);
      this.#checkBody(stream);
    }
    this.#checkOutput();
    // Short calls come and go between two looks: a connection is idle only if none was opened since the last one.
    const quiet = session.streams.size === 0 && session.lastPeerStream === this.#lastStreamSeen;
    this.#lastStreamSeen = session.lastPeerStream;
    this.#idleLooks = quiet ? this.#idleLooks + 1 : 0;
    if (this.#idleLooks * this.#everyMs >= limits.idleTimeoutMs) session.idle();
  }

  #checkHeaders(nowMs: number): void {
    const { limits, settingsAcknowledged, headerBegunMs, guard } = this.#session;
    if (!settingsAcknowledged && nowMs - this.#startedMs >= limits.settingsTimeoutMs) {
      guard.counters.slowHeaders++;
      throw new ConnectionFault(errorCode.settingsTimeout, 'our settings were not acknowledged in time');
    }
    if (headerBegunMs !== undefined && nowMs - headerBegunMs >= limits.headerTimeoutMs) {
      guard.counters.slowHeaders++;
      throw new ConnectionFault(errorCode.enhanceYourCalm, 'a header block did not end in time');
    }
  }

  /** Content that waits for the peer's window (a zero-window hold), or for its turn on a connection in that state. */
  #checkSend(stream: Http2Stream): void {
    const { send } = stream;
    stream.sendStalls = send.waiting && !send.progress ? stream.sendStalls + 1 : 0;
    send.progress = false;
    if (stream.sendStalls * this.#everyMs < this.#session.limits.sendTimeoutMs) return;
    this.#session.guard.counters.stalledSends++;
    const message = `the peer has taken no content for ${this.#session.limits.sendTimeoutMs} ms`;
    stream.reset(errorCode.cancel, new HeddleError({ code: 'cancelled', reason: 'SEND_STALLED', message }));
    if (this.#session.sendWindow <= 0) throw new ConnectionFault(errorCode.enhanceYourCalm, message);
    this.#session.guard.fault();
  }

  #checkBody(stream: Http2Stream): void {
    const { receive } = stream;
    const waits = receive.starved && !receive.progress && stream.contentDue;
    stream.receiveStalls = waits ? stream.receiveStalls + 1 : 0;
    receive.progress = false;
    if (stream.receiveStalls * this.#everyMs < this.#session.limits.bodyTimeoutMs) return;
    this.#session.guard.counters.stalledBodies++;
    const message = `no content came for ${this.#session.limits.bodyTimeoutMs} ms`;
    stream.reset(errorCode.cancel, new HeddleError({ code: 'cancelled', reason: 'BODY_STALLED', message }));
    this.#session.guard.fault();
  }

  /** The socket takes nothing: the peer is gone, or does not read. GOAWAY would not reach it either. */
  #checkOutput(): void {
    const session = this.#session;
    this.#congestedLooks = session.output.congested ? this.#congestedLooks + 1 : 0;
    if (this.#congestedLooks * this.#everyMs < session.limits.sendTimeoutMs) return;
    session.guard.counters.stalledSends++;
    session.destroy();
  }
}

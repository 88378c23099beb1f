import type { Random } from '../../ports/random.ts';
import type { VirtualTime } from '../virtual-time.ts';
import { ByteQueue } from './byte-queue.ts';
import type { Link } from './link.ts';

/** A piece of a stream on its way. `open` makes the receiver accept the connection, `fin` is the end. */
export interface Segment {
  readonly kind: 'open' | 'data' | 'probe' | 'fin';
  readonly bytes: Uint8Array;
}

/** What a stream tells the end that writes into it. */
export interface StreamSender {
  /** All that was written has been taken by the system. */
  drained(): void;
  /** The end of the stream has been taken too. */
  finished(): void;
  /** Broken: the peer's system said so (`ECONNRESET`), or has not answered for too long (`ETIMEDOUT`). */
  failed(errno: 'ECONNRESET' | 'ETIMEDOUT'): void;
}

/** What a stream needs to know of the end that it leads to. */
export interface StreamReceiver {
  /**
   * `orphaned`: the program has let go, its system only waits for the end of the stream and refuses bytes.
   * `gone`: nobody knows this connection, all is refused. `down`: the machine is off, packets vanish.
   */
  readonly presence: 'there' | 'orphaned' | 'gone' | 'down';
  /** Bytes that have arrived and were not read. */
  readonly unreadBytes: number;
  receive(segment: Segment): void;
}

// Send and receive buffers of the two systems together.
const windowBytes = 64 * 1024;
// RFC 6298 allows 1 s; Linux starts from 200 ms.
const firstRetransmissionMs = 200;
// What servers set as TCP_USER_TIMEOUT (RFC 5482); without it Linux goes on for a quarter of an hour.
const giveUpMs = 20_000;
const windowProbeMs = 5000;
const empty = new Uint8Array(0);

interface Flight {
  readonly segment: Segment;
  readonly arrivesAtMs: number;
  attempts: number;
}

/**
 * One direction of a connection, as TCP gives it: whole and in order, or broken. What a lossy or cut link does to
 * packets shows here as waiting (retransmission with doubling delay, RFC 6298), and as a timeout if it goes on.
 */
export class Stream {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #forward: Link;
  readonly #backward: Link;
  readonly #sender: StreamSender;
  readonly #receiver: StreamReceiver;
  readonly #queue = new ByteQueue();
  readonly #flight: Flight[] = [];
  #flightBytes = 0;
  #lastArrivalMs = 0;
  #finQueued = false;
  #finTaken = false;
  #pumpPlanned = false;
  #headPlanned = false;
  #probePlanned = false;
  #stuckSinceMs: number | undefined;
  #unackedSinceMs: number | undefined;
  #dead = false;

  constructor(
    time: VirtualTime,
    random: Random,
    way: { readonly forward: Link; readonly backward: Link },
    ends: { readonly sender: StreamSender; readonly receiver: StreamReceiver },
  ) {
    this.#time = time;
    this.#random = random;
    this.#forward = way.forward;
    this.#backward = way.backward;
    this.#sender = ends.sender;
    this.#receiver = ends.receiver;
  }

  /** Bytes written and not yet taken by the system. */
  get pendingBytes(): number {
    return this.#queue.size;
  }

  /** Makes the other end accept: the first thing on a client's stream. */
  open(): void {
    this.#send({ kind: 'open', bytes: empty });
  }

  write(chunk: Uint8Array): void {
    if (this.#dead || this.#finQueued || chunk.byteLength === 0) return;
    this.#queue.push(chunk);
    this.#planPump();
  }

  /** No more will be written. */
  finish(): void {
    this.#finQueued = true;
    this.#planPump();
  }

  /** The writer is gone: what the system has taken still goes, then the end. */
  abandon(): void {
    this.#queue.clear();
    this.finish();
  }

  /** Nothing more happens on it: the system that sent is gone, or the connection was reset. */
  vanish(): void {
    this.#dead = true;
    this.#queue.clear();
    this.#flight.length = 0;
    this.#flightBytes = 0;
  }

  /** The receiver has read: there may be room to go on. */
  windowOpened(): void {
    if (this.#queue.size > 0) this.#planPump();
  }

  /** A packet outside the stream, of the sender's system: the connection is no more. It is lost if the link is cut. */
  reset(deliver: () => void): void {
    this.vanish();
    this.#time.timers.after(this.#forward.delayMs(this.#nowMs(), 0), () => {
      if (this.#forward.delivers()) deliver();
    });
  }

  // Not at once: what is written in one turn becomes one run of bytes, cut anew.
  #planPump(): void {
    if (this.#pumpPlanned || this.#dead) return;
    this.#pumpPlanned = true;
    this.#time.timers.soon(() => {
      this.#pumpPlanned = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#dead) return;
    const hadBytes = this.#queue.size > 0;
    this.#takeWhatFits();
    if (this.#queue.size > 0) {
      this.#planProbe();
      return;
    }
    if (hadBytes) this.#sender.drained();
    // The sender may have written again when it heard that, and the end comes after all that was written.
    if (!this.#finQueued || this.#finTaken || this.#queue.size > 0) return;
    this.#finTaken = true;
    this.#send({ kind: 'fin', bytes: empty });
    this.#sender.finished();
  }

  #takeWhatFits(): void {
    const room = windowBytes - this.#flightBytes - this.#receiver.unreadBytes;
    if (room <= 0 || this.#unackedSinceMs !== undefined) return;
    let left = Math.min(room, this.#queue.size);
    const cut = cutter(this.#random, left);
    while (left > 0) {
      const size = Math.min(left, cut());
      this.#send({ kind: 'data', bytes: this.#queue.take(size) });
      left -= size;
    }
  }

  #send(segment: Segment): void {
    const nowMs = this.#nowMs();
    const dueMs = nowMs + this.#forward.delayMs(nowMs, segment.bytes.byteLength);
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, dueMs);
    this.#flight.push({ segment, arrivesAtMs: this.#lastArrivalMs, attempts: 0 });
    this.#flightBytes += segment.bytes.byteLength;
    this.#planHead(this.#lastArrivalMs - nowMs);
  }

  #planHead(delayMs: number): void {
    if (this.#headPlanned) return;
    this.#headPlanned = true;
    this.#time.timers.after(delayMs, () => {
      this.#headPlanned = false;
      this.#headDue();
    });
  }

  /** The oldest segment is due. It arrives, or is sent again; those behind it wait, as a stream is in order. */
  #headDue(): void {
    const head = this.#flight[0];
    if (this.#dead || head === undefined) return;
    const { presence } = this.#receiver;
    if (presence === 'down' || !this.#forward.delivers()) {
      this.#retransmit(head);
      return;
    }
    if (presence === 'gone' || (presence === 'orphaned' && head.segment.kind !== 'fin')) {
      this.#refused();
      return;
    }
    this.#stuckSinceMs = undefined;
    this.#flight.shift();
    this.#flightBytes -= head.segment.bytes.byteLength;
    this.#receiver.receive(head.segment);
    this.#acknowledge();
    const next = this.#flight[0];
    if (next !== undefined) this.#planHead(Math.max(0, next.arrivesAtMs - this.#nowMs()));
  }

  #retransmit(head: Flight): void {
    const waitMs = firstRetransmissionMs * 2 ** head.attempts;
    head.attempts++;
    this.#stuckSinceMs ??= this.#nowMs();
    if (this.#nowMs() + waitMs - this.#stuckSinceMs > giveUpMs) this.#fail('ETIMEDOUT');
    else this.#planHead(waitMs);
  }

  /** The answer to a packet for a connection that is no more; if it is lost, the packet will be sent again. */
  #refused(): void {
    const delayMs = this.#backward.delayMs(this.#nowMs(), 0);
    const returns = this.#backward.delivers();
    this.#time.timers.after(delayMs, () => {
      const head = this.#flight[0];
      if (this.#dead || head === undefined) return;
      if (returns) this.#fail('ECONNRESET');
      else this.#retransmit(head);
    });
  }

  /**
   * Room in the window is known at once where the way back is open (its latency is left out: half the events).
   * Where it is cut, the sender does not know, sends again and gives up in the end, though all has arrived.
   */
  #acknowledge(attempts = 0): void {
    if (this.#dead) return;
    if (!this.#backward.conditions.blocked) {
      this.#unackedSinceMs = undefined;
      if (this.#queue.size > 0) this.#planPump();
      return;
    }
    if (this.#unackedSinceMs !== undefined && attempts === 0) return;
    this.#unackedSinceMs ??= this.#nowMs();
    const waitMs = firstRetransmissionMs * 2 ** attempts;
    if (this.#nowMs() + waitMs - this.#unackedSinceMs > giveUpMs) this.#fail('ETIMEDOUT');
    else this.#time.timers.after(waitMs, () => this.#acknowledge(attempts + 1));
  }

  /** A full window is asked about from time to time (RFC 9293, 3.8.6.1), or a dead peer would never be noticed. */
  #planProbe(): void {
    if (this.#probePlanned) return;
    this.#probePlanned = true;
    this.#time.timers.after(windowProbeMs, () => {
      this.#probePlanned = false;
      if (this.#dead || this.#queue.size === 0) return;
      if (this.#flight.length === 0) this.#send({ kind: 'probe', bytes: empty });
      this.#planProbe();
    });
  }

  #fail(errno: 'ECONNRESET' | 'ETIMEDOUT'): void {
    this.vanish();
    this.#sender.failed(errno);
  }

  #nowMs(): number {
    return this.#time.clock.nowMs();
  }
}

/**
 * Sizes of segments, so that a reader of the stream meets its messages whole, joined, cut anywhere, and now and
 * then byte by byte.
 */
function cutter(random: Random, total: number): () => number {
  const kind = random.uint32() % 8;
  if (kind < 4) return () => total;
  if (kind === 4 && total <= 64) return () => 1;
  return () => 1 + (random.uint32() % Math.max(1, Math.ceil(total / 2)));
}

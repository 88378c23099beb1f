import type { CallKey } from './call-key.ts';
import { HeddleError } from './error.ts';
import type { Runtime } from './ports/runtime.ts';

/** How a call ended. Without an error, all of it was done and delivered. */
export interface Outcome {
  readonly error: HeddleError | undefined;
}

/** Called once, when the last byte has gone or was given up. Must not throw. */
export type EndListener = (outcome: Outcome) => void;

/** Called at most once, when the call is given up. Must not throw. */
export type CancelListener = (error: HeddleError) => void;

const success: Outcome = { error: undefined };

// The clock has not been read.
const unread = Number.NaN;

// A call has a handful of values at most: a chain of them costs a fraction of a Map, to make as to search.
interface Value {
  readonly key: CallKey<unknown>;
  value: unknown;
  readonly next: Value | undefined;
}

/**
 * One exchange, from its first byte to its last. An attempt is a child of the call that it tries to fulfil.
 *
 * Two things happen to a call, each at most once. It is *cancelled* by whoever no longer wants it: a wish, which
 * travels down to all children. It *ends* when nothing more will happen on it: a fact, stated by whoever made the
 * call (see `settle`) or by the adapter that the end was deferred to. What counts things (limits, load, metrics,
 * drain, balancer feedback) listens to the end, since a result can arrive long before its body has gone.
 *
 * Costs: a child is one object; a signal exists only if asked for; no `AbortSignal.any` anywhere.
 */
export class Call {
  readonly runtime: Runtime;
  readonly parent: Call | undefined;
  /** When the caller stops waiting, in `runtime.clock.nowMs()` time. Undefined: never. Never later than the parent's. */
  readonly deadlineMs: number | undefined;

  #values: Value | undefined;
  // Mostly there is one of each, which needs neither list nor set.
  #endListeners: EndListener | EndListener[] | undefined;
  #cancelListeners: CancelListener | Set<CancelListener> | undefined;
  #controller: AbortController | undefined;
  #cancelled: HeddleError | undefined;
  #outcome: Outcome | undefined;
  #endDeferred = false;
  #startMs: number;
  #endMs = unread;
  // Running children form a doubly linked list through these three, so that joining and leaving allocate nothing.
  #firstChild: Call | undefined;
  #previousSibling: Call | undefined;
  #nextSibling: Call | undefined;

  private constructor(
    runtime: Runtime,
    parent: Call | undefined,
    deadlineMs: number | undefined,
    nowMs: number,
  ) {
    this.runtime = runtime;
    this.parent = parent;
    this.deadlineMs = deadlineMs;
    this.#startMs = nowMs;
  }

  /**
   * A call with no parent: the start of a story, made by an edge (a server, a consumer loop, a job, a test).
   * `nowMs`: the clock, where the caller has just read it.
   */
  static root(runtime: Runtime, deadlineMs?: number, nowMs: number = unread): Call {
    return new Call(runtime, undefined, deadlineMs, nowMs);
  }

  /**
   * One attempt at this call's work, or one piece of it. It sees this call's values, its deadline is this call's or
   * the given one if that is earlier, and it is cancelled with this call or when this call ends before it.
   * Whoever makes a child must see to its end: by `settle`, by `end`, or by `endWith`.
   * `nowMs`: the clock, where the caller has just read it.
   */
  child(deadlineMs?: number, nowMs: number = unread): Call {
    const own = this.deadlineMs;
    const earlier = own === undefined || (deadlineMs !== undefined && deadlineMs < own) ? deadlineMs : own;
    const child = new Call(this.runtime, this, earlier, nowMs);
    if (this.#outcome !== undefined) {
      child.#cancelled = this.#cancelled ?? parentEnded();
      return child;
    }
    child.#cancelled = this.#cancelled;
    const first = this.#firstChild;
    child.#nextSibling = first;
    if (first !== undefined) first.#previousSibling = child;
    this.#firstChild = child;
    return child;
  }

  /**
   * When it began, on `runtime.clock`. The layers that time a call share this one reading, since reading the clock costs
   * as much as a layer. It is read when somebody first asks, so ask on the way in.
   */
  get startMs(): number {
    if (Number.isNaN(this.#startMs)) this.#startMs = this.runtime.clock.nowMs();
    return this.#startMs;
  }

  /** When it ended: one reading for all that listen to the end. To be asked there, or later; before, it is now. */
  get endMs(): number {
    if (this.#outcome === undefined) return this.runtime.clock.nowMs();
    if (Number.isNaN(this.#endMs)) this.#endMs = this.runtime.clock.nowMs();
    return this.#endMs;
  }

  /** Milliseconds until the deadline; `Infinity` without one; 0 or less when it has passed. */
  remainingMs(): number {
    return this.deadlineMs === undefined
      ? Number.POSITIVE_INFINITY
      : this.deadlineMs - this.runtime.clock.nowMs();
  }

  /** The value that was set here or on the nearest ancestor; the key's fallback where nobody has. */
  get<T>(key: CallKey<T>): T {
    for (let set = this.#values; set !== undefined; set = set.next)
      if (set.key === key) return set.value as T;
    return this.parent === undefined ? key.fallback : this.parent.get(key);
  }

  /** Sets a value for this call and its children. Ancestors do not see it. */
  set<T>(key: CallKey<T>, value: T): this {
    for (let set = this.#values; set !== undefined; set = set.next) {
      if (set.key !== key) continue;
      set.value = value;
      return this;
    }
    this.#values = { key, value, next: this.#values };
    return this;
  }

  /** Why the call was given up, or undefined while somebody still wants it. */
  get cancelled(): HeddleError | undefined {
    return this.#cancelled;
  }

  /** How the call ended, or undefined while it runs. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** For functions that take an `AbortSignal`. Made on first use; aborts on cancel with the `HeddleError` as reason. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled !== undefined) this.#controller.abort(this.#cancelled);
    }
    return this.#controller.signal;
  }

  /** Throws the reason if the call was given up. For loops between two steps of work. */
  throwIfCancelled(): void {
    if (this.#cancelled !== undefined) throw this.#cancelled;
  }

  /**
   * Gives the call up: tells listeners, signal and children, in that order. Does nothing on a call that has ended
   * or was cancelled before. It does not end the call: that happens when its adapter has let go.
   */
  cancel(error: HeddleError): void {
    if (this.#cancelled !== undefined || this.#outcome !== undefined) return;
    this.#cancelled = error;
    const listeners = this.#cancelListeners;
    this.#cancelListeners = undefined;
    if (typeof listeners === 'function') guarded(listeners, error);
    else if (listeners !== undefined) for (const listener of listeners) guarded(listener, error);
    this.#controller?.abort(error);
    this.#cancelChildren(error);
  }

  /**
   * Hears of a cancel; at once if it has happened. Returns a function that stops listening; there is no need to call
   * it when the call has ended.
   */
  onCancel(listener: CancelListener): () => void {
    if (this.#cancelled !== undefined) {
      guarded(listener, this.#cancelled);
      return nothing;
    }
    if (this.#outcome !== undefined) return nothing;
    const others = this.#cancelListeners;
    if (others === undefined) this.#cancelListeners = listener;
    else if (typeof others === 'function') this.#cancelListeners = new Set([others, listener]);
    else others.add(listener);
    return () => this.#ignore(listener);
  }

  #ignore(listener: CancelListener): void {
    const listeners = this.#cancelListeners;
    if (listeners === listener) this.#cancelListeners = undefined;
    else if (typeof listeners === 'object') listeners.delete(listener);
  }

  /** Hears of the end, in order of registration; at once if it has happened. */
  onEnd(listener: EndListener): void {
    if (this.#outcome !== undefined) {
      guarded(listener, this.#outcome);
      return;
    }
    const others = this.#endListeners;
    if (others === undefined) this.#endListeners = listener;
    else if (typeof others === 'function') this.#endListeners = [others, listener];
    else others.push(listener);
  }

  /** True once an adapter has said that the end comes later than the result. */
  get endDeferred(): boolean {
    return this.#endDeferred;
  }

  /** For adapters that resolve before they have finished (a streaming body): they call `end` themselves, later. */
  deferEnd(): void {
    this.#endDeferred = true;
  }

  /** This call ends when `child` does and as it did. For a layer that passes a child's result on. */
  endWith(child: Call): void {
    if (child.#outcome !== undefined) {
      this.#endAs(child, child.#outcome);
      return;
    }
    this.#endDeferred = true;
    child.onEnd((outcome) => this.#endAs(child, outcome));
  }

  #endAs(child: Call, { error }: Outcome): void {
    // One moment: it need not be read off the clock again.
    if (this.#outcome === undefined) this.#endMs = child.#endMs;
    this.end(error);
  }

  /** States that nothing more will happen here. The first statement holds. Children still running are cancelled. */
  end(error?: HeddleError): void {
    if (this.#outcome !== undefined) return;
    const outcome = error === undefined ? success : { error };
    this.#outcome = outcome;
    this.#cancelListeners = undefined;
    if (this.#firstChild !== undefined) this.#cancelChildren(error ?? parentEnded());
    if (this.parent !== undefined) this.parent.#forget(this);
    const listeners = this.#endListeners;
    if (listeners === undefined) return;
    this.#endListeners = undefined;
    if (typeof listeners === 'function') guarded(listeners, outcome);
    else for (const listener of listeners) guarded(listener, outcome);
  }

  #cancelChildren(error: HeddleError): void {
    // A list apart: a child that is told may end itself or a sibling, and leave the chain while we walk it.
    const children: Call[] = [];
    for (let child = this.#firstChild; child !== undefined; child = child.#nextSibling) children.push(child);
    for (const child of children) child.cancel(error);
  }

  #forget(child: Call): void {
    const previous = child.#previousSibling;
    const next = child.#nextSibling;
    if (previous !== undefined) previous.#nextSibling = next;
    else if (this.#firstChild === child) this.#firstChild = next;
    if (next !== undefined) next.#previousSibling = previous;
    child.#previousSibling = undefined;
    child.#nextSibling = undefined;
  }
}

function nothing(): void {}

function parentEnded(): HeddleError {
  return new HeddleError({ code: 'cancelled', reason: 'PARENT_ENDED', message: 'the parent call has ended' });
}

/** A listener that throws is a mistake in code: the others still run, and the mistake surfaces as uncaught. */
function guarded<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (mistake) {
    queueMicrotask(() => {
      throw mistake;
    });
  }
}

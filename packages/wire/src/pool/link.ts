import type { HeddleError, Runtime, Timer } from '@heddle/kernel';
import { backoffMs } from './backoff.ts';

/**
 * Whether an address can be reached. `idle`: nobody has tried, or all connections were let go. `connecting`: the
 * first connection is being made. `ready`: there is one. `failing`: the last try failed or the last connection was
 * lost at once; it is tried again by itself after a back-off, until it is reached or closed.
 */
export type EndpointState = 'idle' | 'connecting' | 'ready' | 'failing';

/** Called after each change. Must not throw. */
export type StateListener = (state: EndpointState) => void;

/** The state of one endpoint, and the tries that get it out of `failing`. */
export class Link {
  readonly #runtime: Runtime;
  readonly #listeners = new Set<StateListener>();
  readonly #probe: () => void;
  #state: EndpointState = 'idle';
  #failures = 0;
  #timer: Timer | undefined;
  #closed = false;
  /** Why the last try failed. */
  lastError: HeddleError | undefined;

  /** `probe` makes a connection; what comes of it is told by `reached` or `failed`. */
  constructor(runtime: Runtime, probe: () => void) {
    this.#runtime = runtime;
    this.#probe = probe;
  }

  get state(): EndpointState {
    return this.#state;
  }

  /** Returns a function that stops listening. */
  onState(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A connection is being made. */
  trying(): void {
    if (this.#state === 'idle') this.#become('connecting');
  }

  /** A connection has been made. */
  reached(): void {
    this.#failures = 0;
    this.lastError = undefined;
    this.#stopTimer();
    this.#become('ready');
  }

  /** A connection could not be made. With others still open that says nothing about the endpoint. */
  failed(error: HeddleError, othersOpen: boolean): void {
    if (othersOpen || this.#closed) return;
    this.#failures++;
    this.lastError = error;
    this.#become('failing');
    this.#stopTimer();
    this.#timer = this.#runtime.timers.after(backoffMs(this.#failures, this.#runtime.random), this.#tryAgain);
  }

  /** The last connection is gone. */
  emptied(): void {
    if (this.#state === 'ready') this.#become('idle');
  }

  /** No more tries. */
  close(): void {
    this.#closed = true;
    this.#stopTimer();
    this.#become('idle');
  }

  readonly #tryAgain = (): void => {
    this.#timer = undefined;
    this.#probe();
  };

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #become(state: EndpointState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

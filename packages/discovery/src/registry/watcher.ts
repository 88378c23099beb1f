/**
 * The reader's end of a watch: conflated, with no memory of its own. It holds a mark that something is new, and reads
 * the newest state when it is asked, so a slow reader costs nothing and delays nobody.
 */
export class Watcher<T> implements AsyncIterableIterator<T, undefined> {
  readonly #read: () => T | undefined;
  readonly #onEnd: () => void;
  readonly #signal: AbortSignal | undefined;
  #waiting: ((result: IteratorResult<T, undefined>) => void)[] = [];
  #isNew = true;
  #delivering = false;
  #ended = false;

  /**
   * `read` gives the newest state, or undefined while there is none. `onEnd` is called once, however the watch ends.
   * A signal that is aborted, now or later, ends it.
   */
  constructor(read: () => T | undefined, onEnd: (watcher: Watcher<T>) => void, signal?: AbortSignal) {
    this.#read = read;
    this.#onEnd = () => onEnd(this);
    this.#signal = signal;
    if (signal?.aborted === true) this.#ended = true;
    else signal?.addEventListener('abort', this.end, { once: true });
  }

  /** Something new can be read. Who waits gets it when this turn's work is done: many changes at once are one. */
  poke(): void {
    this.#isNew = true;
    if (this.#waiting.length === 0 || this.#delivering) return;
    this.#delivering = true;
    queueMicrotask(() => {
      this.#delivering = false;
      this.#deliver();
    });
  }

  /** No more will come. Whoever waits is told. */
  readonly end = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.end);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve({ done: true, value: undefined });
    this.#onEnd();
  };

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    // Those that asked before are served first.
    const value = this.#waiting.length === 0 ? this.#take() : undefined;
    if (value !== undefined) return Promise.resolve({ done: false, value });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #deliver(): void {
    const waiting = this.#waiting[0];
    const value = waiting === undefined ? undefined : this.#take();
    if (waiting === undefined || value === undefined) return;
    this.#waiting.shift();
    waiting({ done: false, value });
  }

  #take(): T | undefined {
    if (!this.#isNew) return undefined;
    const value = this.#read();
    if (value !== undefined) this.#isNew = false;
    return value;
  }
}

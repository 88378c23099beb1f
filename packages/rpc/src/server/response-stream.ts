import { type Call, HeddleError } from '@heddle/kernel';

/**
 * Reads `source` for as long as the call is wanted: rejects with the reason as soon as the call is cancelled, even if
 * the source does not heed that. Leaving it (`return`), or a cancel, tells the source so; then there is no more.
 */
export class UntilCancelled<T> {
  readonly #source: AsyncIterator<T>;
  #over = false;
  #cancelled: HeddleError | undefined;
  #refuse: ((error: HeddleError) => void) | undefined;

  constructor(source: AsyncIterable<T>, call: Call) {
    this.#source = source[Symbol.asyncIterator]();
    // One for the whole stream: to listen anew for each message would cost as much as the message.
    call.onCancel((error) => {
      this.#cancelled = error;
      this.#refuse?.(error);
      this.return();
    });
  }

  /** The next message, or the end. To be asked again only when it has come. */
  next(): Promise<IteratorResult<T, void>> {
    if (this.#cancelled !== undefined) return Promise.reject(this.#cancelled);
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#refuse = reject;
      this.#source.next().then(
        (step) => {
          if (step.done === true) this.#over = true;
          resolve(step);
        },
        (thrown: unknown) => {
          this.#over = true;
          reject(HeddleError.from(thrown));
        },
      );
    });
  }

  /** Not awaited by anybody: a source that hangs would keep them, and nobody is interested in it any more. */
  return(): void {
    if (this.#over) return;
    this.#over = true;
    const left = this.#source.return?.();
    left?.catch(() => {});
  }
}

/**
 * Puts the call's end off to whoever reads its response; the function returned is called when that begins. A response
 * that is given up before anybody has read from it ends the call here.
 */
export function endUnlessBegun(call: Call): () => void {
  call.deferEnd();
  return call.onCancel((error) => call.end(error));
}

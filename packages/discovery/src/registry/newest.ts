import { HeddleError } from '@heddle/kernel';

/** Hands values from those who push to one who waits, for the body of a `Follow`: only the newest counts. */
export class Newest<T> {
  #value: { readonly value: T } | undefined;
  #failure: HeddleError | undefined;
  #wake: (() => void) | undefined;

  put(value: T): void {
    this.#value = { value };
    this.#wake?.();
  }

  /** No more will come; what has come and was not taken is dropped. The first failure holds. */
  fail(thrown: unknown): void {
    this.#failure ??= HeddleError.from(thrown);
    this.#wake?.();
  }

  /** The newest that was not taken yet, as soon as there is one. Rejects once it has failed. */
  async take(): Promise<T> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const taken = this.#value;
      this.#value = undefined;
      if (taken !== undefined) return taken.value;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

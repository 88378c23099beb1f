/**
 * A value that is not to be seen. It shows as `[secret]` in text, JSON and logs, and `util.inspect` sees nothing of it;
 * only `reveal` gives what it is.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The value itself: for the one place that needs it. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}

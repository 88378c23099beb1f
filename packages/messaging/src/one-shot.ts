/** Something that happens once, and who wants to hear of it. */
export class OneShot {
  readonly #listeners = new Set<() => void>();
  #fired = false;

  get fired(): boolean {
    return this.#fired;
  }

  /** Calls `listener` when it happens, at once if it has. Returns what ends that. */
  on(listener: () => void): () => void {
    if (this.#fired) {
      listener();
      return () => {};
    }
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  fire(): void {
    if (this.#fired) return;
    this.#fired = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }
}

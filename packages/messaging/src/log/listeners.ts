/** Who wants to hear of what, by name. */
export class Listeners {
  readonly #byName = new Map<string, Set<() => void>>();

  /** Returns what ends it. */
  on(name: string, listener: () => void): () => void {
    const own = (): void => listener();
    const all = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, all.add(own));
    return () => {
      all.delete(own);
      if (all.size === 0 && this.#byName.get(name) === all) this.#byName.delete(name);
    };
  }

  call(name: string): void {
    for (const listener of this.#byName.get(name) ?? []) listener();
  }
}

/** Tells those who wait for a change of a service. Listeners must not throw. */
export class ChangeSignal {
  readonly #listeners = new Map<string, Set<() => void>>();

  /** How many are listening. */
  count = 0;

  /** Calls `listener` after every change of `service`. Returns a function that stops that. */
  listen(service: string, listener: () => void): () => void {
    const own = (): void => listener();
    let listeners = this.#listeners.get(service);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(service, listeners);
    }
    listeners.add(own);
    this.count += 1;
    return () => {
      if (!listeners.delete(own)) return;
      this.count -= 1;
      if (listeners.size === 0 && this.#listeners.get(service) === listeners) this.#listeners.delete(service);
    };
  }

  tell(service: string): void {
    for (const listener of this.#listeners.get(service) ?? []) listener();
  }
}

/**
 * State with transactions, in memory. Nothing is locked, so that a process that dies in a transaction holds up nobody: a
 * transaction works on a copy, and begins anew if another has committed meanwhile.
 */
export class MemoryState<State extends object> {
  #state: State;
  #version = 0;

  constructor(state: State) {
    this.#state = state;
  }

  /** What has been committed. */
  get committed(): State {
    return this.#state;
  }

  /** `onCommit` happens with the commit, at once. */
  async transaction<T>(work: (draft: State) => Promise<T>, onCommit: (draft: State) => void): Promise<T> {
    for (;;) {
      const version = this.#version;
      const draft = structuredClone(this.#state);
      const value = await work(draft);
      if (version !== this.#version) continue;
      this.#version += 1;
      this.#state = draft;
      onCommit(draft);
      return value;
    }
  }
}

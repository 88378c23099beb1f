import type { InboxStore } from './inbox.ts';

/**
 * A store in memory with transactions, for tests and the simulator: what a transaction wrote is there when it has
 * committed, and one that fails, or whose process dies before, leaves nothing. Transactions run one after another.
 */
export class MemoryInbox<State extends object> implements InboxStore<State> {
  readonly #handled = new Set<string>();
  #state: State;
  #queue: Promise<unknown> = Promise.resolve();
  #fresh: string[] = [];

  constructor(state: State) {
    this.#state = state;
  }

  /** What has been committed. */
  get state(): State {
    return this.#state;
  }

  transaction<T>(work: (tx: State) => Promise<T>): Promise<T> {
    const turn = this.#queue.then(async () => {
      const draft = structuredClone(this.#state);
      this.#fresh = [];
      const value = await work(draft);
      this.#state = draft;
      for (const each of this.#fresh) this.#handled.add(each);
      return value;
    });
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async record(_tx: State, group: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    const fresh = new Set(ids.filter((id) => !this.#handled.has(`${group} ${id}`)));
    for (const id of fresh) this.#fresh.push(`${group} ${id}`);
    return fresh;
  }
}

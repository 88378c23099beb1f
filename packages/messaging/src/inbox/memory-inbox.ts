import { MemoryState } from '../memory-state.ts';
import type { InboxStore } from './inbox.ts';

/**
 * A store in memory with transactions, for tests and the simulator: what a transaction wrote is there when it has
 * committed, and one that fails, or whose process dies before, leaves nothing. Its work may run more than once.
 */
export class MemoryInbox<State extends object> implements InboxStore<State> {
  readonly #handled = new Set<string>();
  /** By the copy that a transaction works on. */
  readonly #fresh = new WeakMap<State, string[]>();
  readonly #state: MemoryState<State>;

  constructor(state: State) {
    this.#state = new MemoryState(state);
  }

  /** What has been committed. */
  get state(): State {
    return this.#state.committed;
  }

  transaction<T>(work: (tx: State) => Promise<T>): Promise<T> {
    return this.#state.transaction(work, (draft) => {
      for (const each of this.#fresh.get(draft) ?? []) this.#handled.add(each);
    });
  }

  async record(tx: State, group: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    const fresh = new Set(ids.filter((id) => !this.#handled.has(`${group} ${id}`)));
    this.#fresh.set(tx, [...(this.#fresh.get(tx) ?? []), ...[...fresh].map((id) => `${group} ${id}`)]);
    return fresh;
  }
}

import { Gather } from '@heddle/kernel';
import type { SagaChange, SagaKeeper, SagaMessage, SagaNews } from './saga-keeper.ts';

/** One write: of a saga that begins, or of one that is under way. */
interface SagaWrite {
  readonly change: SagaChange;
  readonly isBegin: boolean;
}

// So many rows in one statement, at most.
const most = 500;

/** What the sagas of one process store and read at one time goes together: one commit, one statement. */
export class SagaWrites {
  readonly #store: SagaKeeper;
  readonly #writes: Gather<SagaWrite, boolean>;
  readonly #said: Gather<string, readonly SagaMessage[]>;
  readonly #tells: Gather<SagaNews, undefined>;

  constructor(store: SagaKeeper) {
    this.#store = store;
    // A saga has one write on its way at a time, so batches of different sagas may overtake each other.
    this.#writes = new Gather({ most, lanes: 2, send: (writes) => this.#writeAll(writes) });
    this.#said = new Gather({ most, send: (ids) => this.#saidTo(ids) });
    this.#tells = new Gather({
      most,
      send: (news) => store.tell(news).then(() => news.map(() => undefined)),
    });
  }

  /** Stores a beginning; false if the saga is known already. */
  begin(change: SagaChange): Promise<boolean> {
    return this.#writes.add({ change, isBegin: true });
  }

  /** Stores a change; false if the saga is another's by now. */
  save(change: SagaChange): Promise<boolean> {
    return this.#writes.add({ change, isBegin: false });
  }

  /** What was said to a saga and not taken in yet. */
  said(id: string): Promise<readonly SagaMessage[]> {
    return this.#said.add(id);
  }

  /** Wakes whoever waits for it. */
  tell(news: SagaNews): void {
    void this.#tells.add(news);
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await this.#writes.settled();
    await this.#tells.settled();
  }

  async #writeAll(writes: readonly SagaWrite[]): Promise<readonly boolean[]> {
    const changes = (begin: boolean): SagaChange[] =>
      writes.filter(({ isBegin }) => isBegin === begin).map(({ change }) => change);
    const { begun, saved } = await this.#store.write(changes(true), changes(false));
    // Of two beginnings of one saga, the first is the one that was stored.
    const left = new Set(begun);
    // A process that has taken over what was its own can have two of one saga here: only the newer is stored.
    const newest = new Map<string, number>();
    for (const { change, isBegin } of writes)
      if (!isBegin) newest.set(change.row.id, Math.max(change.row.epoch, newest.get(change.row.id) ?? 0));
    return writes.map(({ change: { row }, isBegin }) =>
      isBegin ? left.delete(row.id) : saved.has(row.id) && newest.get(row.id) === row.epoch,
    );
  }

  async #saidTo(ids: readonly string[]): Promise<readonly (readonly SagaMessage[])[]> {
    const bySaga = Map.groupBy(await this.#store.said(ids), ({ saga }) => saga);
    return ids.map((id) => bySaga.get(id) ?? []);
  }
}

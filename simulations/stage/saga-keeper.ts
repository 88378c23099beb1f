import { HeddleError } from '@heddle/kernel';
import type {
  SagaAudit,
  SagaChange,
  SagaInput,
  SagaKeeper,
  SagaMessage,
  SagaRow,
  SagasWritten,
  SagaStatus,
  SagaView,
} from '@heddle/data/saga';
import type { Host, World } from '@heddle/sim';
import type { Durable } from './durable.ts';

interface Kept extends SagaRow {
  worker: string | undefined;
  epoch: number;
  dueMs: number | undefined;
  wanted: boolean;
}

interface Said extends SagaMessage {
  readonly by: string;
  taken: boolean;
}

/** What the database of the sagas holds. */
export class SagaBook {
  readonly sagas: Map<string, Kept> = new Map();
  readonly workers: Map<string, number> = new Map();
  readonly said: Said[] = [];

  /** Those that have not ended. */
  open(): readonly Kept[] {
    return [...this.sagas.values()].filter(
      ({ state }) => !['completed', 'compensated'].includes(state.status),
    );
  }
}

/** Sagas with the semantics of those in PostgreSQL: leases by worker, epochs that fence, writes that can be lost. */
export class SimulatedKeeper implements SagaKeeper {
  readonly #book: SagaBook;
  readonly #durable: Durable;
  readonly #host: Host;
  readonly #world: World;
  readonly #worker: string;

  constructor(book: SagaBook, durable: Durable, host: Host, world: World, worker: string) {
    this.#book = book;
    this.#durable = durable;
    this.#host = host;
    this.#world = world;
    this.#worker = worker;
  }

  async open(): Promise<void> {}

  listen(): () => Promise<void> {
    // Nobody hears anything: all is found by looking.
    return () => Promise.resolve();
  }

  async begin(changes: readonly SagaChange[]): Promise<ReadonlySet<string>> {
    return (await this.write(changes, [])).begun;
  }

  write(begins: readonly SagaChange[], saves: readonly SagaChange[]): Promise<SagasWritten> {
    return this.#write(() => ({ begun: this.#begin(begins), saved: this.#save(saves) }));
  }

  async live(leaseMs: number): Promise<void> {
    await this.#write(() => this.#book.workers.set(this.#worker, this.#world.nowMs + leaseMs));
  }

  async leave(): Promise<void> {
    await this.#write(() => this.#book.workers.delete(this.#worker));
  }

  claim(
    definitions: readonly { readonly name: string; readonly version: number }[],
    nowMs: number,
    most: number,
    atWork?: readonly string[],
  ): Promise<readonly SagaRow[]> {
    return this.#write(() => {
      const known = new Set(definitions.map(({ name, version }) => `${name} ${version}`));
      const left = [...this.#book.sagas.values()].filter(
        (each) => known.has(`${each.name} ${each.version}`) && this.#isFree(each, nowMs, atWork),
      );
      return left.slice(0, most).map((each) => {
        const taken = { ...each, worker: this.#worker, epoch: each.epoch + 1, wanted: false };
        this.#book.sagas.set(each.id, taken);
        return taken;
      });
    });
  }

  async say(id: string, input: SagaInput, by: string): Promise<void> {
    await this.#write(() => {
      const found = this.#book.sagas.get(id);
      if (found === undefined) throw noSaga(id);
      this.#book.sagas.set(id, { ...found, wanted: true });
      this.#book.said.push({ number: this.#book.said.length, saga: id, input, by, taken: false });
    });
  }

  async said(ids: readonly string[]): Promise<readonly SagaMessage[]> {
    return this.#book.said.filter(({ saga, taken }) => ids.includes(saga) && !taken);
  }

  async get(id: string): Promise<SagaView> {
    const found = this.#book.sagas.get(id);
    if (found === undefined) throw noSaga(id);
    const at = new Date(0);
    return { ...found, status: found.state.status, begunAt: at, changedAt: at };
  }

  async list(options: { readonly status?: SagaStatus } = {}): Promise<readonly SagaView[]> {
    const ids = [...this.#book.sagas.values()].filter(
      ({ state }) => options.status === undefined || state.status === options.status,
    );
    return Promise.all(ids.map(({ id }) => this.get(id)));
  }

  async audit(id: string): Promise<readonly SagaAudit[]> {
    return this.#book.said.filter(({ saga }) => saga === id).map((each) => ({ ...each, at: new Date(0) }));
  }

  async tell(): Promise<void> {}

  #begin(changes: readonly SagaChange[]): ReadonlySet<string> {
    const fresh = changes.filter(({ row }) => !this.#book.sagas.has(row.id));
    for (const { row, kept, dueMs } of fresh)
      this.#book.sagas.set(row.id, {
        ...row,
        worker: kept ? this.#worker : undefined,
        dueMs,
        wanted: false,
      });
    return new Set(fresh.map(({ row }) => row.id));
  }

  #save(changes: readonly SagaChange[]): ReadonlySet<string> {
    const stored = new Set<string>();
    for (const { row, dueMs, kept, taken } of changes) {
      const found = this.#book.sagas.get(row.id);
      if (found === undefined || found.epoch !== row.epoch) continue;
      const worker = kept ? found.worker : undefined;
      this.#book.sagas.set(row.id, { ...found, state: row.state, dueMs, worker });
      for (const each of this.#book.said) if (taken.includes(each.number)) each.taken = true;
      stored.add(row.id);
    }
    return stored;
  }

  #isFree({ id, state, worker, wanted, dueMs }: Kept, nowMs: number, atWork?: readonly string[]): boolean {
    const isOver = state.status !== 'running' && state.status !== 'compensating';
    if (isOver && !wanted && worker === undefined) return false;
    if (worker === undefined) return wanted || (dueMs !== undefined && dueMs <= nowMs);
    if (worker === this.#worker) return atWork?.includes(id) === false;
    return (this.#book.workers.get(worker) ?? 0) < this.#world.nowMs;
  }

  #write<T>(work: () => T): Promise<T> {
    return this.#durable.write(this.#host, work);
  }
}

function noSaga(id: string): HeddleError {
  return new HeddleError({ code: 'not_found', reason: 'NO_SAGA', message: `there is no saga ${id}` });
}

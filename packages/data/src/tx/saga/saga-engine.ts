import {
  type Call,
  correlationId,
  HeddleError,
  type Part,
  type Runtime,
  type Timer,
  traceContext,
} from '@heddle/kernel';
import type { Sql, SqlPool } from '@heddle/sql';
import type { AnySaga, SagaDefinition, SagaStarter } from './step.ts';
import { LiveSaga, type SagaHost } from './live-saga.ts';
import type { SagaMeasures } from './metrics.ts';
import type { SagaInput, SagaStatus } from './saga-state.ts';
import type { SagaChange, SagaKeeper, SagaNews, SagaRow } from './saga-keeper.ts';
import { SagaSearch } from './saga-search.ts';
import { SagaStore } from './saga-store.ts';
import { SagaWaits } from './saga-waits.ts';
import { SagaWrites } from './saga-writes.ts';
import { dueMs, newSaga, stepSaga } from './step-saga.ts';

/** How often those that have not ended are counted. */
const countMs = 15_000;

/** Where an engine's sagas are: in PostgreSQL, or wherever a keeper has them. */
export type SagaPlace =
  | {
      /** The engine does not stop it. */
      readonly pool: SqlPool;
      /** The same database: for a connection of its own that wake-ups come by. */
      readonly url: string;
    }
  | { readonly keeper: (worker: string) => SagaKeeper };

/** What an engine is made from. */
export type SagaEngineOptions = SagaPlace & SagaEngineSettings;

/** How an engine works. */
export interface SagaEngineSettings {
  readonly runtime: Runtime;
  /** All that this process can run: those of older versions too, while some of them are under way. */
  readonly definitions: readonly AnySaga[];
  /** A process that is silent for so long has died, and others go on with what it had. Default 10000. */
  readonly leaseMs?: number;
  /** How often to look for what is due or has been left. Default 1000. */
  readonly pollMs?: number;
  /** Sagas at work here at one time, at most; more wait in the database. Default 1000. */
  readonly maxRunning?: number;
  /** Hears of what it does: `sagaMetrics`. Default: nobody does. */
  readonly measures?: SagaMeasures;
}

/** A saga that has ended, or is parked. */
export interface SagaOutcome extends SagaRow {
  readonly status: SagaStatus;
}

/** How a saga is begun. */
export interface BeginOptions {
  /** Begun once, however often it is asked for. Default: a new UUID. */
  readonly id?: string;
  readonly call?: Call;
}

/**
 * Runs sagas, and goes on with those that other processes have left. Every process of a service may have one. As a part:
 * `start` makes the tables and looks for work; `stop` ends when what runs has ended, and leaves the rest to others.
 */
export class SagaEngine implements Part, SagaStarter {
  readonly name = 'sagas';
  readonly store: SagaKeeper;
  readonly #options: SagaEngineOptions;
  readonly #runtime: Runtime;
  readonly #definitions: ReadonlyMap<string, AnySaga>;
  readonly #live = new Map<string, LiveSaga>();
  readonly #writes: SagaWrites;
  readonly #waits: SagaWaits;
  readonly #search: SagaSearch;
  readonly #host: SagaHost;
  readonly #beginning = new Set<string>();
  #stopListening: (() => Promise<void>) | undefined;
  #beat: Timer | undefined;
  #count: Timer | undefined;
  #stopped = false;
  #over = false;

  constructor(options: SagaEngineOptions) {
    const { runtime, definitions } = options;
    this.#options = options;
    this.#runtime = runtime;
    this.#definitions = new Map(definitions.map((each) => [keyOf(each), each]));
    const worker = runtime.random.uuid();
    this.store =
      'keeper' in options ? options.keeper(worker) : new SagaStore(options.pool, options.url, worker);
    this.#writes = new SagaWrites(this.store);
    this.#waits = new SagaWaits(runtime, this.#pollMs);
    this.#search = new SagaSearch({
      runtime,
      store: this.store,
      definitions,
      pollMs: this.#pollMs,
      leaseMs: this.#leaseMs,
      most: this.#maxRunning,
      room: () => this.#maxRunning - this.#live.size,
      own: () => [...this.#live.keys(), ...this.#beginning],
      onFound: (row) => this.#takeOver(row),
    });
    this.#host = {
      runtime,
      engine: this,
      save: (change) => this.#writes.save(change),
      said: (id) => this.#writes.said(id),
      onRest: (saga) => this.#rests(saga),
      ...(options.measures !== undefined && { measures: options.measures }),
    };
  }

  async start(): Promise<void> {
    await this.store.open();
    await this.store.live(this.#leaseMs);
    this.#stopListening = this.store.listen(this.#runtime, (news) => this.#heard(news));
    this.#beatLater();
    this.#countLater();
    this.#search.soon();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#search.stop();
    await Promise.all([...this.#live.values()].map((saga) => saga.stop()));
    this.#over = true;
    this.#beat?.cancel();
    this.#count?.cancel();
    await this.#writes.settled();
    await this.#stopListening?.();
    await this.store.leave().catch(() => {});
  }

  /** Begins a saga: when it resolves, it is stored, and will come to an end whatever happens. Its id. */
  async begin<Input>(
    definition: SagaDefinition<Input, unknown>,
    input: Input,
    options: BeginOptions = {},
  ): Promise<string> {
    const { row, change, effects } = this.#first(definition, input, options);
    if (this.#live.size >= this.#maxRunning) {
      await this.#writes.begin({ ...change, kept: false, dueMs: 0 });
      return row.id;
    }
    const isNew = await this.#beginKept(change);
    if (isNew && effects.length > 0) {
      const saga = new LiveSaga(this.#host, this.#definitionOf(row), row);
      this.#live.set(row.id, saga);
      saga.begin(effects);
    }
    return row.id;
  }

  /** If it is not known whether it is stored, and so this process's, the next looks will tell. */
  async #beginKept(change: SagaChange): Promise<boolean> {
    const { id } = change.row;
    this.#beginning.add(id);
    try {
      return await this.#writes.begin(change);
    } catch (thrown) {
      this.#search.doubt();
      throw thrown;
    } finally {
      this.#beginning.delete(id);
    }
  }

  /**
   * As `begin`, as part of the caller's transaction: the saga is there if that commits, and is found within a second; or
   * at once, if `wake` is called then.
   */
  async beginIn<Input>(
    sql: Sql,
    definition: SagaDefinition<Input, unknown>,
    input: Input,
    options: BeginOptions = {},
  ): Promise<string> {
    const { row, change } = this.#first(definition, input, options);
    await this.store.begin([{ ...change, kept: false, dueMs: 0 }], sql);
    return row.id;
  }

  /** Looks for work now: after the commit of a `beginIn`. */
  wake(): void {
    this.#search.soon();
  }

  /** What a step `wait`s for has come. May come early: it is kept until it is waited for. */
  async tell(id: string, step: string, payload: unknown, by: string): Promise<void> {
    await this.#say(id, { kind: 'event', step, payload }, by);
  }

  /** By hand, with the name of who does it: tries again what a parked saga stands at. */
  retry(id: string, by: string): Promise<void> {
    return this.#say(id, { kind: 'retry' }, by);
  }

  /** By hand: takes the step that a parked saga stands at as done, or as undone. */
  settle(id: string, step: string, by: string, result?: unknown): Promise<void> {
    return this.#say(id, { kind: 'settle', step, result }, by);
  }

  /** By hand: undoes everything. Does nothing behind the pivot. */
  compensate(id: string, by: string, why: string): Promise<void> {
    return this.#say(
      id,
      { kind: 'compensate', failure: { code: 'aborted', reason: 'BY_HAND', message: `${by}: ${why}` } },
      by,
    );
  }

  /** How the saga has ended, when it has; or how it is, when it is parked or the call is given up (then it rejects). */
  async outcome(id: string, call: Call): Promise<SagaOutcome> {
    for (;;) {
      const woken = this.#waits.next(id, call);
      // What is at work here says itself how it has ended.
      const ended = this.#live.has(id) ? await woken : undefined;
      if (ended !== undefined) return { ...ended, status: ended.state.status };
      const view = await this.store.get(id);
      if (isAtRest(view.status)) return view;
      if (!this.#live.has(id)) await woken;
    }
  }

  #first<Input>(
    definition: SagaDefinition<Input, unknown>,
    input: Input,
    { id = this.#runtime.random.uuid(), call }: BeginOptions,
  ): {
    readonly row: SagaRow;
    readonly change: SagaChange;
    readonly effects: ReturnType<typeof stepSaga>['effects'];
  } {
    const { name, version, plan } = definition;
    const nowMs = this.#runtime.clock.wallMs();
    const { state, effects } = stepSaga(
      plan,
      newSaga(plan, nowMs, call?.get(traceContext)),
      { kind: 'start' },
      nowMs,
    );
    const row = { id, name, version, input, state, correlationId: call?.get(correlationId) ?? id, epoch: 1 };
    this.#definitionOf(row);
    return { row, change: { row, dueMs: dueMs(plan, state), kept: effects.length > 0, taken: [] }, effects };
  }

  async #say(id: string, input: SagaInput, by: string): Promise<void> {
    const news: SagaNews = { id, kind: 'said' };
    await this.store.say(id, input, by);
    this.#heard(news);
    await this.store.tell([news]);
  }

  #rests(saga: LiveSaga): void {
    const { id, state } = saga.row;
    // Perhaps it was taken over, by this process.
    if (this.#live.get(id) === saga) this.#live.delete(id);
    if (isAtRest(state.status)) {
      if (!saga.isLost) this.#options.measures?.rested(saga.row.name, state.status);
      // Who waits for it elsewhere while somebody waits for it here looks by itself.
      if (this.#waits.has(id)) this.#waits.news(id, saga.isLost ? undefined : saga.row);
      else this.#writes.tell({ id, kind: 'ended' });
    }
    this.#search.freed();
    const due = dueMs(this.#definitionOf(saga.row).plan, state);
    if (due !== undefined) this.#search.soon(Math.max(0, due - this.#runtime.clock.wallMs()));
  }

  /** Spoken to, or ended: somewhere. Undefined: something may have been missed. */
  #heard(news: SagaNews | undefined): void {
    if (news === undefined) this.#waits.newsOfAll();
    else this.#waits.news(news.id);
    if (news?.kind === 'ended') return;
    if (news !== undefined) this.#live.get(news.id)?.poke();
    this.#search.soon();
  }

  #takeOver(row: SagaRow): void {
    this.#live.get(row.id)?.lose();
    const saga = new LiveSaga(this.#host, this.#definitionOf(row), row);
    this.#live.set(row.id, saga);
    saga.resume();
  }

  /** What is shown stays as it was while the database does not answer. */
  #countLater(): void {
    const { measures } = this.#options;
    if (measures === undefined || this.store.counts === undefined || this.#stopped) return;
    void this.store
      .counts()
      .then((counts) => measures.open(counts))
      .catch(() => undefined)
      .then(() => {
        if (!this.#stopped) this.#count = this.#runtime.timers.after(countMs, () => this.#countLater());
      });
  }

  #beatLater(): void {
    this.#beat = this.#runtime.timers.after(this.#leaseMs / 3, () => {
      void this.store
        .live(this.#leaseMs)
        .catch((thrown: unknown) => {
          const { message } = HeddleError.from(thrown);
          this.#runtime.log('warn', 'the lease of sagas cannot be renewed', { error: message });
        })
        .then(() => {
          if (!this.#over) this.#beatLater();
        });
    });
  }

  #definitionOf(row: Pick<SagaRow, 'name' | 'version'>): AnySaga {
    const found = this.#definitions.get(keyOf(row));
    if (found !== undefined) return found;
    const message = `this process does not know saga ${row.name}, version ${row.version}; give it to the engine's definitions`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'UNKNOWN_SAGA', message, sent: false });
  }

  get #leaseMs(): number {
    return this.#options.leaseMs ?? 10_000;
  }

  get #pollMs(): number {
    return this.#options.pollMs ?? 1000;
  }

  get #maxRunning(): number {
    return this.#options.maxRunning ?? 1000;
  }
}

function keyOf({ name, version }: { readonly name: string; readonly version: number }): string {
  return `${name} ${version}`;
}

function isAtRest(status: SagaStatus): boolean {
  return status === 'completed' || status === 'compensated' || status === 'parked';
}

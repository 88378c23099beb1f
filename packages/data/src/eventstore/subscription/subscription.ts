import { Call, HeddleError, type Part, type Runtime, settle, type Timer } from '@heddle/kernel';
import type { Sql } from '@heddle/sql';
import { type Backoff, backoffMs, timeout } from '@heddle/traffic';
import type { EventStore } from '../event-store.ts';
import type { StoredEvent } from '../events/event.ts';
import {
  type Checkpoint,
  lockCheckpoint,
  makeCheckpoints,
  park,
  readSlice,
  saveCheckpoint,
} from './checkpoints.ts';

/** What is done with events, in order. All effects by `sql`, with the checkpoint's, are one transaction. */
export type EventHandler = (events: readonly StoredEvent[], sql: Sql, call: Call) => Promise<void>;

/** How to subscribe. */
export interface EventSubscriptionOptions {
  /** Names the checkpoint: all instances of a service that say the same name share the work. */
  readonly name: string;
  /** Where one begins that is new. Default `beginning`. */
  readonly from?: 'beginning' | 'end';
  /** Default: events of all types. */
  readonly types?: readonly string[];
  /**
   * How many processes can work at one time: each slice has some of the streams, whole. Events of one stream stay in
   * order; with one slice (the default), all do. Cannot change for a name that exists.
   */
  readonly slices?: number;
  /** Events per transaction. Default 200. */
  readonly batch?: number;
  /** Attempts at an event before it is parked. Default 5. */
  readonly attempts?: number;
  readonly backoff?: Backoff;
  /** How often to look although nobody has said that there is something new. Default 1000. */
  readonly pollMs?: number;
  /** How long the handler of one batch may take. Default 30000. */
  readonly handlerTimeoutMs?: number;
}

/**
 * Events as they come, from the past to the present without a seam. The checkpoint is written in the transaction that
 * has the handler's effects, so each event has them exactly once, whatever dies. Who works on a slice holds its
 * checkpoint's row: that ends with the process, and then another goes on. An event that cannot be handled is parked,
 * with the reason, and the others go on: see `parkedEvents`.
 */
export class EventSubscription implements Part {
  readonly name: string;
  readonly #store: EventStore;
  readonly #runtime: Runtime;
  readonly #options: EventSubscriptionOptions;
  readonly #handler: EventHandler;
  readonly #slices: number;
  readonly #loops = new Set<Promise<void>>();
  readonly #sleepers = new Set<() => void>();
  #stopListening: () => void = () => {};
  #stopped = false;

  constructor(store: EventStore, options: EventSubscriptionOptions, handler: EventHandler) {
    const { slices = 1 } = options;
    if (!Number.isInteger(slices) || slices < 1 || slices > 256) throw badSlices(slices);
    this.name = `subscription ${options.name}`;
    this.#store = store;
    this.#runtime = store.runtime;
    this.#options = options;
    this.#handler = handler;
    this.#slices = slices;
  }

  async start(): Promise<void> {
    const { name, from = 'beginning' } = this.#options;
    await makeCheckpoints(this.#store.pool, name, this.#slices, from);
    this.#stopListening = this.#store.onAppend(() => {
      for (const wake of this.#sleepers) wake();
    });
    for (let slice = 0; slice < this.#slices; slice += 1) this.#loops.add(this.#run(slice));
  }

  /** Ends when the batches at hand are done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopListening();
    for (const wake of this.#sleepers) wake();
    await Promise.all(this.#loops);
  }

  async #run(slice: number): Promise<void> {
    const { pollMs = 1000, batch = 200, backoff = { baseMs: 100, maxMs: 10_000 } } = this.#options;
    let failures = 0;
    let most = batch;
    while (!this.#stopped) {
      // Armed before the look, so that what is appended during it is not missed.
      const woken = this.#sleep(pollMs);
      try {
        const more = await this.#once(slice, most);
        failures = 0;
        if (more) {
          most = batch;
          woken.cancel();
          continue;
        }
        await woken.done;
      } catch (thrown) {
        woken.cancel();
        failures += 1;
        const error = HeddleError.from(thrown);
        this.#runtime.log('warn', 'a subscription has to try again', {
          subscription: this.#options.name,
          slice,
          failures,
          reason: error.reason,
          error: error.message,
        });
        if (most === 1 && failures >= (this.#options.attempts ?? 5) && !isOfTheDatabase(error)) {
          await this.#parkNext(slice, error).catch(() => {});
          failures = 0;
          continue;
        }
        // One of them is at fault, or the database is: from now on one by one, so that none is held up by another.
        most = 1;
        await this.#sleep(backoffMs(failures, this.#runtime.random, backoff), false).done;
      }
    }
  }

  /** One batch in one transaction. True if there may be more at once. */
  async #once(slice: number, most: number): Promise<boolean> {
    const { handlerTimeoutMs = 30_000 } = this.#options;
    const statementTimeoutMs = handlerTimeoutMs;
    return this.#store.pool.transaction(
      async (sql) => {
        const checkpoint = await lockCheckpoint(sql, this.#options.name, slice);
        if (checkpoint === undefined) return false;
        const rows = await readSlice(sql, checkpoint, this.#slices, this.#options.types, most);
        const last = rows.at(-1);
        if (last === undefined) return false;
        await this.#handle(await this.#store.opened(rows), sql, handlerTimeoutMs);
        await saveCheckpoint(sql, { ...checkpoint, position: last.position });
        return true;
      },
      { statementTimeoutMs },
    );
  }

  async #handle(events: readonly StoredEvent[], sql: Sql, timeoutMs: number): Promise<void> {
    const call = Call.root(this.#runtime, this.#runtime.clock.nowMs() + timeoutMs);
    // A handler that never returns is given up at the deadline, and its transaction with it.
    const service = timeout<readonly StoredEvent[], void>()((given, own) => this.#handler(given, sql, own));
    const result = await settle(service, events, call);
    if (!result.ok) throw result.error;
  }

  async #parkNext(slice: number, error: HeddleError): Promise<void> {
    const { name, types } = this.#options;
    await this.#store.pool.transaction(async (sql) => {
      const checkpoint: Checkpoint | undefined = await lockCheckpoint(sql, name, slice);
      if (checkpoint === undefined) return;
      const [event] = await readSlice(sql, checkpoint, this.#slices, types, 1);
      if (event === undefined) return;
      await park(sql, name, event.position, `${error.reason}: ${error.message}`);
      await saveCheckpoint(sql, { ...checkpoint, position: event.position });
    });
  }

  #sleep(delayMs: number, wakeable = true): { readonly done: Promise<void>; cancel(): void } {
    let wake: () => void = () => {};
    const done = new Promise<void>((resolve) => {
      const timer: Timer = this.#runtime.timers.after(this.#stopped ? 0 : delayMs, () => wake());
      wake = (): void => {
        timer.cancel();
        this.#sleepers.delete(onWake);
        resolve();
      };
      const onWake = (): void => {
        if (wakeable || this.#stopped) wake();
      };
      this.#sleepers.add(onWake);
    });
    return { done, cancel: () => wake() };
  }
}

/** Then it is no fault of the event. */
function isOfTheDatabase({ code }: HeddleError): boolean {
  return code === 'unavailable' || code === 'resource_exhausted';
}

function badSlices(slices: number): HeddleError {
  const message = `slices: expected a whole number from 1 to 256, found ${slices}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_SUBSCRIPTION', message, sent: false });
}

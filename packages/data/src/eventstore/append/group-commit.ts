import { HeddleError } from '@heddle/kernel';
import type { Sql } from '@heddle/sql';
import type { Appended } from '../events/event.ts';
import { type AppendRequest, appendAll } from './append.ts';

interface Waiting {
  readonly request: AppendRequest;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: HeddleError) => void;
}

const mostEventsAtOnce = 2000;

/**
 * Appends what comes at one time together: one commit for all, an outcome for each. What comes while one is on its way
 * waits for it, so the busier the store, the cheaper an append.
 */
export class GroupCommit {
  readonly #sql: Sql;
  readonly #onAppended: () => void;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(sql: Sql, onAppended: () => void) {
    this.#sql = sql;
    this.#onAppended = onAppended;
  }

  append(request: AppendRequest): Promise<Appended> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) await this.#together(this.#next());
    this.#running = undefined;
  }

  async #together(waiting: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await appendAll(
        this.#sql,
        waiting.map(({ request }) => request),
      );
      for (const [at, { resolve, reject }] of waiting.entries()) {
        const outcome = outcomes[at];
        if (outcome instanceof HeddleError) reject(outcome);
        else if (outcome !== undefined) resolve(outcome);
      }
      this.#onAppended();
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      // Two with one new event id: the database refuses all for it. Alone, each gets what is its own.
      if (waiting.length > 1 && error.is('already_exists'))
        for (const each of waiting) await this.#together([each]);
      else for (const { reject } of waiting) reject(error);
    }
  }

  /** The oldest, but no two of one stream: the second is to see what the first has done. */
  #next(): readonly Waiting[] {
    const taken: Waiting[] = [];
    const left: Waiting[] = [];
    const streams = new Set<string>();
    let events = 0;
    for (const waiting of this.#queue) {
      const { stream, events: own } = waiting.request;
      const fits = events === 0 || events + own.length <= mostEventsAtOnce;
      if (fits && !streams.has(stream)) {
        taken.push(waiting);
        events += own.length;
      } else left.push(waiting);
      streams.add(stream);
    }
    this.#queue = left;
    return taken;
  }
}

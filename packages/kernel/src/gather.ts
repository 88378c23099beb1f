import { HeddleError } from './error.ts';

/** How items are gathered. */
export interface GatherOptions<Item, Answer> {
  /** Sends what was gathered, in the order given: an answer for each. An error among the answers is for that one alone. */
  readonly send: (items: readonly Item[]) => Promise<readonly (Answer | HeddleError)[]>;
  /** So much goes together at most; a single item may weigh more. */
  readonly most: number;
  /** What an item weighs. Default 1. */
  readonly weigh?: (item: Item) => number;
  /** Batches on their way at a time. Default 1: then what is given later is never sent earlier. */
  readonly lanes?: number;
  /** Items of one key do not go together: the second is to see what the first has done. */
  readonly keyOf?: (item: Item) => string;
  /** True for an error that one of several may have brought upon all: then each is sent again, alone. Default: never. */
  readonly alone?: (error: HeddleError) => boolean;
}

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: HeddleError) => void;
}

// Whoever was just answered and asks again at once goes along with the next batch: so many steps that takes.
const stepsToAskAgain = 12;

/**
 * Group commit: what comes while batches are on their way goes out together as the next one, and each gets its own
 * answer. So the busier it is, the cheaper is each.
 */
export class Gather<Item, Answer> {
  readonly #options: GatherOptions<Item, Answer>;
  readonly #ending = new Set<Promise<void>>();
  #running = 0;
  #queue: Waiting<Item, Answer>[] = [];

  constructor(options: GatherOptions<Item, Answer>) {
    this.#options = options;
  }

  /** Rejects with the item's own error, or with that of its batch. */
  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      if (this.#running < (this.#options.lanes ?? 1)) this.#begin();
    });
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    while (this.#ending.size > 0) await Promise.all(this.#ending);
  }

  #begin(): void {
    this.#running += 1;
    const run: Promise<void> = this.#run().finally(() => this.#ending.delete(run));
    this.#ending.add(run);
  }

  async #run(): Promise<void> {
    // What is added in this turn goes along.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      await this.#together(this.#next());
      for (let step = 0; step < stepsToAskAgain; step += 1) await Promise.resolve();
    }
    // In the same step as the look into the queue: what is added from now on begins a run of its own.
    this.#running -= 1;
  }

  async #together(waiting: readonly Waiting<Item, Answer>[]): Promise<void> {
    const { send, alone } = this.#options;
    try {
      const answers = await send(waiting.map(({ item }) => item));
      for (const [at, { resolve, reject }] of waiting.entries()) {
        const answer = answers[at];
        if (answer instanceof HeddleError) reject(answer);
        else resolve(answer as Answer);
      }
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (waiting.length > 1 && alone?.(error) === true)
        for (const each of waiting) await this.#together([each]);
      else for (const { reject } of waiting) reject(error);
    }
  }

  /** The oldest that may go together. */
  #next(): readonly Waiting<Item, Answer>[] {
    const { most, weigh = () => 1, keyOf } = this.#options;
    const taken: Waiting<Item, Answer>[] = [];
    const left: Waiting<Item, Answer>[] = [];
    const keys = new Set<string>();
    let weight = 0;
    for (const waiting of this.#queue) {
      const own = weigh(waiting.item);
      const key = keyOf?.(waiting.item);
      const fits = weight === 0 || weight + own <= most;
      if (fits && (key === undefined || !keys.has(key))) {
        taken.push(waiting);
        weight += own;
      } else {
        left.push(waiting);
        // Without keys all stay in order: what does not fit holds up those behind it.
        if (key === undefined) weight = most;
      }
      if (key !== undefined) keys.add(key);
    }
    this.#queue = left;
    return taken;
  }
}

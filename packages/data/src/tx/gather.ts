import { HeddleError } from '@heddle/kernel';

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: HeddleError) => void;
}

/**
 * Group commit: what comes while batches are on their way goes out together as the next one, and each gets its own
 * answer. With one batch at a time (as it comes) what is given later is never stored earlier.
 */
export class Gather<Item, Answer> {
  readonly #send: (items: readonly Item[]) => Promise<readonly Answer[]>;
  readonly #most: number;
  readonly #lanes: number;
  readonly #running = new Set<Promise<void>>();
  #queue: Waiting<Item, Answer>[] = [];

  constructor(most: number, send: (items: readonly Item[]) => Promise<readonly Answer[]>, lanes = 1) {
    this.#most = most;
    this.#send = send;
    this.#lanes = lanes;
  }

  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      if (this.#running.size < this.#lanes) this.#begin();
    });
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #begin(): void {
    const run: Promise<void> = this.#run().finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #run(): Promise<void> {
    // What is added in this turn goes along.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const together = this.#queue.slice(0, this.#most);
      this.#queue = this.#queue.slice(together.length);
      try {
        const answers = await this.#send(together.map(({ item }) => item));
        for (const [at, { resolve }] of together.entries()) resolve(answers[at] as Answer);
      } catch (thrown) {
        const error = HeddleError.from(thrown);
        for (const { reject } of together) reject(error);
      }
    }
  }
}

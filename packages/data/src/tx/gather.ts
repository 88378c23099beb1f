import { HeddleError } from '@heddle/kernel';

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: HeddleError) => void;
}

/**
 * Group commit: what comes while a batch is on its way goes out together as the next one, and each gets its own answer.
 * One batch at a time, so what is given later is never stored earlier.
 */
export class Gather<Item, Answer> {
  readonly #send: (items: readonly Item[]) => Promise<readonly Answer[]>;
  readonly #most: number;
  #queue: Waiting<Item, Answer>[] = [];
  #running: Promise<void> | undefined;

  constructor(most: number, send: (items: readonly Item[]) => Promise<readonly Answer[]>) {
    this.#most = most;
    this.#send = send;
  }

  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await this.#running;
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
    this.#running = undefined;
  }
}

import type { Call, Runtime } from '@heddle/kernel';
import type { SagaRow } from './saga-keeper.ts';

/** Those in this process who wait for news of a saga. */
export class SagaWaits {
  readonly #runtime: Runtime;
  readonly #patienceMs: number;
  readonly #waiting = new Map<string, Set<(ended?: SagaRow) => void>>();

  /** `patienceMs`: after so long they look by themselves. */
  constructor(runtime: Runtime, patienceMs: number) {
    this.#runtime = runtime;
    this.#patienceMs = patienceMs;
  }

  has(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** Something has happened to it; `ended`: it has come to this end. */
  news(id: string, ended?: SagaRow): void {
    for (const wake of this.#waiting.get(id) ?? []) wake(ended);
  }

  /** Something may have happened to any of them. */
  newsOfAll(): void {
    for (const id of this.#waiting.keys()) this.news(id);
  }

  /** Resolves when there is news of a saga, with how it has ended if that is the news; and now and then without any. */
  next(id: string, call: Call): Promise<SagaRow | undefined> {
    const news = new Promise<SagaRow | undefined>((resolve, reject) => {
      const listeners = this.#waiting.get(id) ?? new Set();
      const done = (ended?: SagaRow): void => {
        stop();
        timer.cancel();
        listeners.delete(done);
        if (listeners.size === 0) this.#waiting.delete(id);
        resolve(ended);
      };
      const timer = this.#runtime.timers.after(this.#patienceMs, () => done());
      const stop = call.onCancel((error) => {
        done();
        reject(error);
      });
      this.#waiting.set(id, listeners.add(done));
    });
    // It may be given up while nobody waits for it yet.
    news.catch(() => {});
    return news;
  }
}

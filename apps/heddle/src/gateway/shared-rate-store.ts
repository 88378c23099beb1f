import { HeddleError, type Timers } from '@heddle/kernel';
import type { RateAsk, RateStore, RateVerdict } from '@heddle/traffic';
import type { Channel, ToSupervisor, ToWorker } from './messages.ts';

/** Limits that all workers share: the supervisor counts. What comes in one turn of the loop goes in one message. */
export class SharedRateStore implements RateStore {
  readonly #channel: Channel<ToWorker, ToSupervisor>;
  readonly #timers: Timers;
  readonly #waiting = new Map<number, (verdict: RateVerdict) => void>();
  readonly #held = new WeakMap<readonly RateAsk[], number[]>();
  #asks: (readonly [id: number, asks: readonly RateAsk[]])[] = [];
  #lastId = 0;

  constructor(channel: Channel<ToWorker, ToSupervisor>, timers: Timers) {
    this.#channel = channel;
    this.#timers = timers;
    channel.onMessage((message) => {
      if (message.kind === 'taken') for (const [id, verdict] of message.taken) this.#decided(id, verdict);
    });
  }

  async take(asks: readonly RateAsk[]): Promise<RateVerdict> {
    const id = ++this.#lastId;
    if (this.#asks.length === 0) this.#timers.soon(() => this.#flush());
    this.#asks.push([id, asks]);
    const verdict = await new Promise<RateVerdict>((resolve) => this.#waiting.set(id, resolve));
    if (verdict.admitted && asks.some(({ rule }) => rule.algorithm === 'concurrency')) {
      const known = this.#held.get(asks);
      if (known === undefined) this.#held.set(asks, [id]);
      else known.push(id);
    }
    return verdict;
  }

  release(asks: readonly RateAsk[]): void {
    const id = this.#held.get(asks)?.pop();
    if (id !== undefined) this.#channel.send({ kind: 'release', ids: [id] });
  }

  #flush(): void {
    const asks = this.#asks;
    this.#asks = [];
    this.#channel.send({ kind: 'take', asks });
  }

  #decided(id: number, verdict: RateVerdict): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting === undefined)
      throw new HeddleError({
        code: 'internal',
        reason: 'NOT_ASKED',
        message: `nobody has asked for decision ${id}`,
      });
    waiting(verdict);
  }
}

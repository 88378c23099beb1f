import type { Delivery } from '../message/message.ts';

/**
 * Which of the deliveries at hand may run now: those of one key one after another, of different keys side by side, at
 * most `width` at once. Without a key, no order was asked for. Pure bookkeeping.
 */
export class KeyedLanes {
  readonly #width: number;
  /** What waits behind the one that runs, by key. */
  readonly #behind = new Map<string, Delivery[]>();
  readonly #ready: Delivery[] = [];
  #running = 0;
  #size = 0;

  constructor(width: number) {
    this.#width = width;
  }

  /** Added and not finished. */
  get size(): number {
    return this.#size;
  }

  add(delivery: Delivery): void {
    this.#size += 1;
    const { key } = delivery.message;
    const lane = this.#behind.get(key);
    if (lane !== undefined) {
      lane.push(delivery);
      return;
    }
    if (key !== '') this.#behind.set(key, []);
    this.#ready.push(delivery);
  }

  /** The next that may run; undefined if none may. */
  start(): Delivery | undefined {
    if (this.#running >= this.#width) return undefined;
    const delivery = this.#ready.shift();
    if (delivery !== undefined) this.#running += 1;
    return delivery;
  }

  /** One that was started has finished. */
  finish({ message: { key } }: Delivery): void {
    this.#running -= 1;
    this.#size -= 1;
    const lane = this.#behind.get(key);
    if (lane === undefined) return;
    const next = lane.shift();
    if (next === undefined) this.#behind.delete(key);
    else this.#ready.push(next);
  }
}

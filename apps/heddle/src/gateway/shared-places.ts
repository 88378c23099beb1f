import type { PlaceLease } from '@heddle/proxy';
import type { Channel, ToSupervisor, ToWorker } from './messages.ts';

/** The places for requests that all workers share: the supervisor gives them out in lots. */
export class SharedPlaces implements PlaceLease {
  readonly #channel: Channel<ToWorker, ToSupervisor>;
  readonly #taken: () => number;
  #granted = 0;
  #waiting: ((granted: boolean) => void)[] = [];

  /** `taken`: how many are in use here. */
  constructor(channel: Channel<ToWorker, ToSupervisor>, taken: () => number) {
    this.#channel = channel;
    this.#taken = taken;
    channel.onMessage((message) => {
      if (message.kind === 'places') this.#given(message.count);
      else if (message.kind === 'recall') this.#giveBack();
    });
  }

  get granted(): number {
    return this.#granted;
  }

  more(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      // One ask at a time: those who come meanwhile share its answer.
      if (this.#waiting.length === 1) this.#channel.send({ kind: 'place', wanted: 1 });
    });
  }

  #given(count: number): void {
    this.#granted += count;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(count > 0);
  }

  #giveBack(): void {
    const spare = Math.max(0, this.#granted - this.#taken());
    this.#granted -= spare;
    this.#channel.send({ kind: 'back', count: spare });
  }
}

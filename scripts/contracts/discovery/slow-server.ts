// A server that takes long to start, for the cases that kill it: they take turns on one.
import process from 'node:process';
import type { Running } from '../../engines/engine.ts';

/** One server at one address, which can be killed and comes back. */
export class SlowServer {
  readonly #start: (empty: boolean) => Promise<Running>;
  #running: Running | undefined;
  #turn: Promise<void> = Promise.resolve();

  /** `start` starts it at an address that stays the same, with what it had or with nothing. */
  constructor(start: (empty: boolean) => Promise<Running>) {
    this.#start = start;
  }

  /** Waits until nobody else has it, and until it runs. Returns what hands it on. */
  async take(): Promise<() => void> {
    const before = this.#turn;
    let handOn: () => void = () => {};
    this.#turn = new Promise((resolve) => {
      handOn = resolve;
    });
    await before;
    try {
      if (this.#running === undefined) await this.start(true);
    } catch (error) {
      handOn();
      throw error;
    }
    return handOn;
  }

  async start(empty: boolean): Promise<void> {
    this.#running = await this.#start(empty);
  }

  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    process.kill(running.pid, 'SIGKILL');
    await running.stop();
  }
}

/** A few of them, for as many cases at a time: made when they are first asked for. */
export class SlowServers<T extends { readonly server: SlowServer }> {
  readonly #made: Promise<T>[] = [];
  readonly #make: () => Promise<T>;
  readonly #count: number;
  #asked = 0;

  constructor(count: number, make: () => Promise<T>) {
    this.#count = count;
    this.#make = make;
  }

  /** Each in turn. */
  next(): Promise<T> {
    const at = this.#asked++ % this.#count;
    return (this.#made[at] ??= this.#make());
  }

  /** Kills all, and says which there were. */
  async end(): Promise<T[]> {
    const all = await Promise.all(this.#made);
    await Promise.all(all.map(({ server }) => server.kill()));
    return all;
  }
}

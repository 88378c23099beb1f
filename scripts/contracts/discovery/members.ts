// Several servers of one backend, each of which can be killed and comes back with what it had.
import { rmSync } from 'node:fs';
import { dataFolder } from '../../engines/cache.ts';
import type { Place, Running } from '../../engines/engine.ts';

/** How one of them is started, where it was before. */
export type StartMember = (at: number, address: Place, folder: string) => Promise<Running>;

/** The members of one ensemble or cluster. */
export class Members {
  readonly places: readonly Place[];
  readonly #start: StartMember;
  readonly #folders: readonly string[];
  readonly #running: (Running | undefined)[];

  constructor(name: string, places: readonly Place[], start: StartMember) {
    this.places = places;
    this.#start = start;
    this.#folders = places.map(() => dataFolder(name));
    this.#running = places.map(() => undefined);
  }

  /** Side by side, for each waits for most of them. */
  async startAll(): Promise<void> {
    await Promise.all(this.places.map((_, at) => this.startOne(at)));
  }

  async startOne(at: number): Promise<void> {
    const [address, folder] = [this.places[at], this.#folders[at]];
    if (address === undefined || folder === undefined) throw new Error(`there is no member ${at}`);
    this.#running[at] = await this.#start(at, address, folder);
  }

  async kill(at: number): Promise<void> {
    const running = this.#running[at];
    if (running === undefined) return;
    this.#running[at] = undefined;
    process.kill(running.pid, 'SIGKILL');
    await running.stop();
  }

  async end(): Promise<void> {
    await Promise.all(this.#running.map((_, at) => this.kill(at)));
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}

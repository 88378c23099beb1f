import type { Timer, Timers } from '@heddle/kernel';

/** A process of the service that is being worked on. */
export interface DevProcess {
  /** How it ended, for people. */
  readonly ended: Promise<string>;
  /** Lets it drain, and resolves when it has gone. */
  stop(): Promise<void>;
}

/** What the loop works with. */
export interface DevLoopOptions {
  readonly start: () => DevProcess;
  readonly timers: Timers;
  readonly say: (text: string) => void;
}

// An editor writes a file in several steps, and a formatter writes it again.
const quietMs = 150;

/**
 * Keeps the newest code running: after changes it lets the process drain and starts the next one. A process that ends by itself stays down until the code changes.
 */
export class DevLoop {
  readonly #options: DevLoopOptions;
  #process: DevProcess | undefined;
  #quiet: Timer | undefined;
  #restarting: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: DevLoopOptions) {
    this.#options = options;
  }

  start(): void {
    const process = this.#options.start();
    this.#process = process;
    void process.ended.then((how) => {
      if (this.#process !== process || this.#isStopped || this.#restarting !== undefined) return;
      this.#process = undefined;
      this.#options.say(`${how}; waiting for a change`);
    });
  }

  /** A file has changed. */
  changed(file: string): void {
    if (this.#isStopped) return;
    this.#quiet?.cancel();
    this.#quiet = this.#options.timers.after(quietMs, () => this.#outdated(file));
  }

  /** Lets the process drain. Resolves when it has gone. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#quiet?.cancel();
    await (this.#restarting ?? this.#process?.stop());
  }

  #outdated(file: string): void {
    // What drains is old already, and the one after it will have read this change.
    if (this.#restarting !== undefined) return;
    this.#options.say(`${file} has changed; draining`);
    this.#restarting = this.#restart();
  }

  async #restart(): Promise<void> {
    await this.#process?.stop();
    this.#restarting = undefined;
    if (!this.#isStopped) this.start();
  }
}

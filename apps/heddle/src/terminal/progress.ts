import type { Clock } from '@heddle/kernel';
import { paint, type Terminal } from './terminal.ts';

const eraseLine = '\r\u001b[K';

/**
 * One line per step of a long work: what it is, a tick or a cross, and how long it took. On a terminal the step at
 * hand is shown while it runs; elsewhere a line appears when it is done. Notes may come at any time between.
 */
export class Progress {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  #running: string | undefined;

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal;
    this.#clock = clock;
  }

  /** Runs `work` as a step. Rejects as it does, after the cross. `detail` is added to the line when it is done. */
  async step<T>(title: string, work: () => Promise<T>, detail: (value: T) => string = () => ''): Promise<T> {
    const startMs = this.#clock.nowMs();
    this.#show(title);
    try {
      const value = await work();
      const more = detail(value);
      this.#line(paint(this.#terminal, 'green', '✔'), title, startMs, more);
      return value;
    } catch (thrown) {
      this.#line(paint(this.#terminal, 'red', '✘'), title, startMs, '');
      throw thrown;
    } finally {
      this.#running = undefined;
    }
  }

  /** A line between the steps: something happened. */
  note(text: string): void {
    this.#clear();
    this.#terminal.out(`  ${paint(this.#terminal, 'yellow', '•')} ${text}\n`);
    if (this.#running !== undefined) this.#show(this.#running);
  }

  #show(title: string): void {
    this.#running = title;
    if (!this.#terminal.interactive) return;
    this.#terminal.out(`  ${paint(this.#terminal, 'dim', '…')} ${title}`);
  }

  #line(mark: string, title: string, startMs: number, detail: string): void {
    this.#clear();
    const took = `${((this.#clock.nowMs() - startMs) / 1000).toFixed(1)} s`;
    const more = detail === '' ? '' : `  ${detail}`;
    this.#terminal.out(`  ${mark} ${title.padEnd(34)} ${paint(this.#terminal, 'dim', took)}${more}\n`);
  }

  #clear(): void {
    if (this.#terminal.interactive && this.#running !== undefined) this.#terminal.out(eraseLine);
  }
}

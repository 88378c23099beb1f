import { write, writeSync } from 'node:fs';
import type { Runtime } from '@heddle/kernel';

const soonMs = 100;
const muchBytes = 64 * 1024;
const mostBytes = 8 * 1_048_576;

/**
 * Writes lines to an open file in large pieces: a tenth of a second after the first, or when there are 64 KiB. One write
 * at a time, nobody waits for it; where the file cannot follow, lines beyond 8 MiB are lost, and counted in the next.
 */
export class LineWriter {
  readonly #file: number;
  readonly #runtime: Runtime;
  #waiting = '';
  #lost = 0;
  #isWriting = false;
  #isAwaited = false;

  constructor(file: number, runtime: Runtime) {
    this.#file = file;
    this.#runtime = runtime;
  }

  /** Never throws, never waits. */
  readonly write = (line: string): void => {
    if (this.#waiting.length >= mostBytes) {
      this.#lost++;
      return;
    }
    this.#waiting += `${line}\n`;
    if (this.#waiting.length >= muchBytes) this.#flush();
    else if (!this.#isAwaited) {
      this.#isAwaited = true;
      this.#runtime.timers.after(soonMs, () => {
        this.#isAwaited = false;
        this.#flush();
      });
    }
  };

  /** Writes what is left, at once: for the end of the process. */
  close(): void {
    const rest = this.#waiting;
    this.#waiting = '';
    try {
      if (rest !== '') writeSync(this.#file, rest);
    } catch {
      // Nobody is left to be told.
    }
  }

  #flush(): void {
    if (this.#isWriting || this.#waiting === '') return;
    this.#isWriting = true;
    const bytes = Buffer.from(this.#waiting);
    this.#waiting = '';
    if (this.#lost > 0) {
      this.#runtime.log('warn', 'lines of the access log were lost: it could not be written as fast', {
        lost: this.#lost,
      });
      this.#lost = 0;
    }
    this.#rest(bytes, 0);
  }

  #rest(bytes: Uint8Array, from: number): void {
    write(this.#file, bytes, from, bytes.byteLength - from, null, (error, written) => {
      if (error === null && from + written < bytes.byteLength) {
        this.#rest(bytes, from + written);
        return;
      }
      this.#isWriting = false;
      // A full disk loses lines, not requests.
      if (error !== null) this.#lost++;
      else this.#flush();
    });
  }
}

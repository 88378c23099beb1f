import { write, writeSync } from 'node:fs';
import type { Runtime } from '@heddle/kernel';

const soonMs = 100;
const muchBytes = 64 * 1024;
const mostBytes = 8 * 1_048_576;
const lineFeed = 0x0a;

/**
 * Writes lines to an open file in large pieces: a tenth of a second after the first, or when there are more than 64 KiB. One write
 * at a time, nobody waits for it; where the file cannot follow, lines beyond 8 MiB are lost, and counted in the next.
 */
export class LineWriter {
  readonly #file: number;
  readonly #runtime: Runtime;
  /** The newest lines: as text they would be small pieces in the memory until they are written. */
  #space: Buffer = Buffer.allocUnsafeSlow(muchBytes);
  #used = 0;
  /** What was written before them, and waits. */
  #full: Buffer[] = [];
  #fullBytes = 0;
  #lost = 0;
  #isWriting = false;
  #isAwaited = false;

  constructor(file: number, runtime: Runtime) {
    this.#file = file;
    this.#runtime = runtime;
  }

  /** Never throws, never waits. */
  readonly write = (line: string): void => {
    if (this.#fullBytes + this.#used >= mostBytes) {
      this.#lost++;
      return;
    }
    // As UTF-8 a character is three bytes at most.
    const most = line.length * 3 + 1;
    if (most > this.#space.byteLength - this.#used) this.#turn(most);
    this.#used += this.#space.write(line, this.#used);
    this.#space[this.#used++] = lineFeed;
    if (this.#fullBytes > 0 || this.#used >= muchBytes) this.#flush();
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
    try {
      for (const bytes of this.#taken()) writeSync(this.#file, bytes);
    } catch {
      // Nobody is left to be told.
    }
  }

  /** Begins another space, with room for so many bytes. */
  #turn(bytes: number): void {
    if (this.#used > 0) this.#full.push(this.#space.subarray(0, this.#used));
    this.#fullBytes += this.#used;
    this.#space = Buffer.allocUnsafeSlow(Math.max(muchBytes, bytes));
    this.#used = 0;
  }

  /** All that waits, which waits no more. */
  #taken(): readonly Buffer[] {
    if (this.#used > 0) this.#turn(0);
    const full = this.#full;
    this.#full = [];
    this.#fullBytes = 0;
    return full;
  }

  #flush(): void {
    if (this.#isWriting) return;
    const [first, ...more] = this.#taken();
    if (first === undefined) return;
    this.#isWriting = true;
    if (this.#lost > 0) {
      this.#runtime.log('warn', 'lines of the access log were lost: it could not be written as fast', {
        lost: this.#lost,
      });
      this.#lost = 0;
    }
    this.#rest(more.length === 0 ? first : Buffer.concat([first, ...more]), 0);
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

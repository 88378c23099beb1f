import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

/**
 * A log file of bounded size: beyond `maxBytes` it becomes `<path>.1`, which is overwritten, and a new one begins.
 * Written synchronously, so that the last words of a dying program are there when it is looked for; it is the
 * supervisor's file, which serves no request. A disk that is full loses lines, not the program.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #maxBytes: number;
  #file: number;
  #size: number;

  constructor(path: string, maxBytes = 5_242_880) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#file = openSync(path, 'a', 0o600);
    this.#size = fstatSync(this.#file).size;
  }

  write(chunk: Uint8Array): void {
    try {
      if (this.#size + chunk.byteLength > this.#maxBytes) this.#rotate();
      this.#size += writeSync(this.#file, chunk);
    } catch (thrown) {
      if (!isDiskTrouble(thrown)) throw thrown;
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #rotate(): void {
    closeSync(this.#file);
    renameSync(this.#path, `${this.#path}.1`);
    this.#file = openSync(this.#path, 'a', 0o600);
    this.#size = 0;
  }
}

function isDiskTrouble(thrown: unknown): boolean {
  return (
    thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOSPC' || thrown.code === 'EDQUOT')
  );
}

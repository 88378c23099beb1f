// An input that never ends stops this thread, so another one watches, and says which input it was.
import { Worker } from 'node:worker_threads';
import type { Target } from './target.ts';

const largestBytes = 65_536;
const limitMs = 30_000;

const source = `
  const { workerData } = require('node:worker_threads');
  const { writeFileSync, mkdirSync } = require('node:fs');
  const { count, bytes, file, limitMs } = workerData;
  const counter = new Int32Array(count);
  let last = -1;
  setInterval(() => {
    const now = Atomics.load(counter, 0);
    if (now !== last) { last = now; return; }
    const length = Atomics.load(counter, 1);
    writeFileSync(file, Buffer.from(bytes).subarray(0, length));
    console.error('FAIL an input has not ended after ' + limitMs + ' ms; it is in ' + file);
    process.kill(process.pid, 'SIGKILL');
  }, limitMs);
`;

/** Ends the process when one input takes too long. */
export class Watchdog {
  readonly #counter = new Int32Array(new SharedArrayBuffer(8));
  readonly #bytes = new Uint8Array(new SharedArrayBuffer(largestBytes));
  readonly #worker: Worker;

  constructor(target: Target) {
    const file = `fuzz/corpus/${target.name}/hung.bin`;
    const workerData = { count: this.#counter.buffer, bytes: this.#bytes.buffer, file, limitMs };
    this.#worker = new Worker(source, { eval: true, workerData });
  }

  /** This one is about to be run. */
  running(input: Uint8Array): void {
    const length = Math.min(input.length, largestBytes);
    this.#bytes.set(input.subarray(0, length));
    Atomics.store(this.#counter, 1, length);
    Atomics.add(this.#counter, 0, 1);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

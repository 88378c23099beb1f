import type { Session } from '../jute/requests.ts';

const passwordBytes = 16;

/** A session in memory that threads share: one writes it, the others may go on with it. */
export class SharedSession {
  readonly memory: SharedArrayBuffer;
  readonly #version: Int32Array<SharedArrayBuffer>;
  readonly #id: BigInt64Array<SharedArrayBuffer>;
  readonly #timeoutMs: Int32Array<SharedArrayBuffer>;
  readonly #password: Uint8Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(16 + passwordBytes)) {
    this.memory = memory;
    this.#id = new BigInt64Array(memory, 0, 1);
    this.#version = new Int32Array(memory, 8, 1);
    this.#timeoutMs = new Int32Array(memory, 12, 1);
    this.#password = new Uint8Array(memory, 16, passwordBytes);
  }

  /** An odd version says that it is being written. Only one thread may write. */
  write({ id, timeoutMs, password }: Session): void {
    Atomics.add(this.#version, 0, 1);
    Atomics.store(this.#id, 0, id);
    Atomics.store(this.#timeoutMs, 0, timeoutMs);
    this.#password.fill(0);
    this.#password.set(password.subarray(0, passwordBytes));
    Atomics.add(this.#version, 0, 1);
  }

  /** Undefined while there is none, or it is being written. */
  read(): Session | undefined {
    const version = Atomics.load(this.#version, 0);
    const id = Atomics.load(this.#id, 0);
    const timeoutMs = Atomics.load(this.#timeoutMs, 0);
    const password = Uint8Array.from(this.#password);
    const isWhole = version % 2 === 0 && Atomics.load(this.#version, 0) === version;
    return isWhole && id !== 0n ? { id, timeoutMs, password } : undefined;
  }
}

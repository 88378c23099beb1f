import type { Random } from '../../ports/random.ts';

type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly size: number };

/** A file as a disk keeps it: what is safe, and what was written since. */
export class StoredFile {
  #durable: Uint8Array;
  #changes: Change[] = [];
  #content: Uint8Array;
  #size: number;

  /** All of it safe. */
  constructor(durable: Uint8Array) {
    this.#durable = durable;
    this.#content = durable.slice();
    this.#size = durable.byteLength;
  }

  get size(): number {
    return this.#size;
  }

  /** A copy of what a reader sees now. */
  read(): Uint8Array {
    return this.#content.slice(0, this.#size);
  }

  write(at: number, bytes: Uint8Array): void {
    const own = bytes.slice();
    this.#changes.push({ kind: 'write', at, bytes: own });
    this.#apply(at, own);
  }

  truncate(size: number): void {
    this.#changes.push({ kind: 'truncate', size });
    this.#size = Math.min(this.#size, size);
  }

  sync(): void {
    if (this.#changes.length === 0) return;
    this.#durable = this.read();
    this.#changes = [];
  }

  /**
   * What a power cut leaves: what was safe, some of the later changes in their order, and of the next one a part,
   * which may be followed by anything (a system writes length and content apart).
   */
  crash(random: Random): void {
    const changes = this.#changes;
    if (changes.length === 0) return;
    const kept = random.uint32() % (changes.length + 1);
    this.#content = this.#durable.slice();
    this.#size = this.#durable.byteLength;
    for (const change of changes.slice(0, kept)) {
      if (change.kind === 'write') this.#apply(change.at, change.bytes);
      else this.#size = Math.min(this.#size, change.size);
    }
    const torn = changes[kept];
    if (torn?.kind === 'write') this.#apply(torn.at, tear(torn.bytes, random));
    this.#changes = [];
    this.#durable = this.read();
  }

  #apply(at: number, bytes: Uint8Array): void {
    const end = at + bytes.byteLength;
    if (end > this.#content.byteLength) {
      const larger = new Uint8Array(Math.max(end, this.#content.byteLength * 2));
      larger.set(this.#content.subarray(0, this.#size));
      this.#content = larger;
    }
    this.#content.set(bytes, at);
    this.#size = Math.max(this.#size, end);
  }
}

function tear(bytes: Uint8Array, random: Random): Uint8Array {
  const kept = random.uint32() % (bytes.byteLength + 1);
  switch (random.uint32() % 4) {
    case 0:
      return joined(bytes.subarray(0, kept), new Uint8Array(bytes.byteLength - kept));
    case 1:
      return joined(bytes.subarray(0, kept), random.bytes(bytes.byteLength - kept));
    default:
      return bytes.subarray(0, kept);
  }
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.byteLength + tail.byteLength);
  whole.set(head);
  whole.set(tail, head.byteLength);
  return whole;
}

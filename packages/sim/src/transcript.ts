/** What happened in a world, in order. The same seed gives the same lines, to the character. */
export class Transcript {
  readonly #lines: string[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Every line so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Adds a line. `where` is a host, or `world`. */
  record(where: string, what: string): void {
    this.#lines.push(`${this.#nowMs().toFixed(3).padStart(11)} ${where.padEnd(12)} ${what}`);
  }

  /** The last lines. */
  tail(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }

  /** Eight hex digits that differ when the lines do. */
  digest(): string {
    let hash = fnvStart;
    for (const line of this.#lines) hash = fnvText(line, hash);
    return hex(hash);
  }
}

const fnvStart = 0x811c9dc5;

/** Eight hex digits that stand for some bytes, so that a line shows a change in what was sent. */
export function bytesDigest(bytes: Uint8Array): string {
  let hash = fnvStart;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hex(hash);
}

function fnvText(text: string, start: number): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

function hex(hash: number): string {
  return (hash >>> 0).toString(16).padStart(8, '0');
}

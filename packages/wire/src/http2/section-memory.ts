// Sections that a connection writes again and again: a response's head, its trailers, and the same for one more method.
const places = 4;
const largestBytes = 96;
// With so many sections in a row that were not known, only now and then one is worth the trouble of keeping it.
const patience = 16;

/** A section that was written, and what it was on the wire. */
export interface Kept {
  special: readonly string[];
  raw: readonly string[];
  /** The encoder's, before as after. */
  state: number;
  /** What it counts in a header list (RFC 9113 section 6.5.2). */
  listBytes: number;
  readonly bytes: Uint8Array;
  length: number;
}

/**
 * The last header sections of a connection, encoded. One that did not change the encoder's state is the same bytes
 * again for as long as the state is the same; so neither its fields need be checked anew, nor looked up.
 */
export class SectionMemory {
  readonly #kept: Kept[] = [];
  #next = 0;
  #strange = 0;

  /** The same section in the same state, if it was kept: `special`, and `raw` up to `length`. */
  find(special: readonly string[], raw: readonly string[], length: number, state: number): Kept | undefined {
    for (const kept of this.#kept) {
      if (kept.state !== state || kept.raw.length !== length || kept.special.length !== special.length)
        continue;
      if (!begins(special, kept.special) || !begins(raw, kept.raw)) continue;
      this.#strange = 0;
      return kept;
    }
    this.#strange++;
    return undefined;
  }

  /** Keeps `out[start, end)`, which the section has become without a change of `state`. */
  keep(
    section: {
      readonly special: readonly string[];
      readonly raw: readonly string[];
      /** How much of `raw` it has. */
      readonly length: number;
      readonly listBytes: number;
    },
    state: number,
    out: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (end - start > largestBytes || (this.#strange > patience && this.#strange % patience !== 0)) return;
    const kept = this.#place();
    kept.special = section.special;
    // A copy: the fields belong to whoever made them.
    kept.raw = section.raw.slice(0, section.length);
    kept.state = state;
    kept.listBytes = section.listBytes;
    kept.length = end - start;
    for (let at = start; at < end; at++) kept.bytes[at - start] = out[at] as number;
  }

  #place(): Kept {
    const at = this.#next;
    this.#next = (at + 1) % places;
    const there = this.#kept[at];
    if (there !== undefined) return there;
    const fresh = {
      special: [],
      raw: [],
      state: 0,
      listBytes: 0,
      bytes: new Uint8Array(largestBytes),
      length: 0,
    };
    this.#kept.push(fresh);
    return fresh;
  }
}

/** Whether `all` begins with `first`. */
function begins(all: readonly string[], first: readonly string[]): boolean {
  for (let at = 0; at < first.length; at++) if (all[at] !== first[at]) return false;
  return true;
}

import { literalStart } from './hpack/encoder.ts';

// Sections that a peer sends again and again: the head of an answer, its trailers, and the same for one more method.
const places = 4;
const largestBytes = 160;
// With so many sections in a row that were not known, only now and then one is worth the trouble of keeping it.
const patience = 16;

/** What a header section says, once it has been found to be in order. */
export interface KnownSection {
  readonly method: string | undefined;
  readonly scheme: string | undefined;
  readonly authority: string | undefined;
  readonly path: string | undefined;
  readonly protocol: string | undefined;
  readonly status: string | undefined;
  readonly host: string | undefined;
  readonly contentLength: number | undefined;
  readonly pseudo: boolean;
  /** The fields that are neither pseudo nor about framing. */
  readonly raw: readonly string[];
  /** What it counts in a header list, and how many fields it has. */
  readonly listBytes: number;
  readonly count: number;
  /** It has been accepted as the head of a request. */
  isRequest: boolean;
}

interface Kept {
  readonly block: Uint8Array;
  /** The decoder's, before as after. */
  readonly state: number;
  readonly section: KnownSection;
}

/**
 * The last header blocks of a connection, decoded: the counterpart of `SectionMemory`. A block that did not change the
 * decoder's state says the same again for as long as the state is the same, so it need be neither decoded nor judged
 * anew. That is a third of what a call costs a proxy, and of three blocks of a gRPC call two are mostly known.
 */
export class KnownSections {
  readonly #kept: Kept[] = [];
  #next = 0;
  #strange = 0;

  /** What the block `bytes[start, end)` says in this state of the decoder, if that is known. */
  find(bytes: Uint8Array, start: number, end: number, state: number): KnownSection | undefined {
    for (let at = 0; at < this.#kept.length; at++) {
      const { block, state: then, section } = this.#kept[at] as Kept;
      if (then !== state || !same(block, bytes, start, end)) continue;
      this.#strange = 0;
      return section;
    }
    this.#strange++;
    return undefined;
  }

  /** True where the block, which was not known, may be kept. */
  wants(start: number, end: number): boolean {
    return end - start <= largestBytes && (this.#strange <= patience || this.#strange % patience === 0);
  }

  /** Keeps what the block says, which must not have changed the decoder's `state`. */
  keep(bytes: Uint8Array, start: number, end: number, state: number, section: KnownSection): void {
    this.#kept[this.#next] = { block: Uint8Array.from(bytes.subarray(start, end)), state, section };
    this.#next = (this.#next + 1) % places;
  }
}

/** The field that differs from call to call. Behind a section that is known otherwise, it alone is read. */
export const lastName = 'traceparent';
const lastStart = literalStart(lastName);
const lastLength = 55;
const lastBytes = lastStart.length + 1 + lastLength;

/** What the last field of a block counts in a header list. */
export const lastCounts: number = lastName.length + lastLength + 32;

/**
 * Where the block's last field begins, if that is a `traceparent` of the usual length as our own encoder writes it (a literal
 * that no table remembers, its value plain) and all of its value may stand in a field; else the block's end.
 */
export function steadyEnd(bytes: Uint8Array, start: number, end: number): number {
  const steady = end - lastBytes;
  if (steady < start || bytes[end - lastLength - 1] !== lastLength) return end;
  for (let at = 0; at < lastStart.length; at++) if (bytes[steady + at] !== lastStart[at]) return end;
  for (let at = end - lastLength; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte <= 0x20 || byte >= 0x7f) return end;
  }
  return steady;
}

/** The value of the last field, where `steadyEnd` has found one. */
export function lastValue(bytes: Buffer, end: number): string {
  return bytes.toString('latin1', end - lastLength, end);
}

/** Compared from the end: what differs between two requests, such as a length, mostly stands there. */
function same(block: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (block.length !== end - start) return false;
  for (let at = block.length - 1; at >= 0; at--) if (block[at] !== bytes[start + at]) return false;
  return true;
}

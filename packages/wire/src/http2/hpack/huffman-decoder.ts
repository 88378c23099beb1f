import { codeBits, codeWord, endOfString } from './huffman-code.ts';

// The code tree as a machine that reads four bits at a time. A state is an inner node of the tree; the entry for
// (state, nibble) packs the next state, the symbol that was completed on the way (a nibble completes at most one,
// since the shortest code has five bits), and what it would mean if the string ended here.
const emits = 1 << 16;
const accepts = 1 << 17;
const fails = 1 << 18;
const table = buildTable();

/**
 * Decodes `bytes[start, end)` into `out` from its beginning, which must hold `(end - start) * 8 / 5` bytes.
 * Returns how many were written, or -1 if this is no valid coding: an end-of-string symbol, or padding that is longer
 * than seven bits or not all ones (RFC 7541 section 5.2).
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let entry = accepts;
  let written = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    entry = table[((entry & 0xff) << 4) | (byte >> 4)] as number;
    if ((entry & emits) !== 0) out[written++] = (entry >> 8) & 0xff;
    if ((entry & fails) !== 0) return -1;
    entry = table[((entry & 0xff) << 4) | (byte & 15)] as number;
    if ((entry & emits) !== 0) out[written++] = (entry >> 8) & 0xff;
    if ((entry & fails) !== 0) return -1;
  }
  return (entry & accepts) !== 0 ? written : -1;
}

interface Node {
  /** Number of the state, for an inner node. */
  readonly state: number;
  readonly symbol: number | undefined;
  /** Bits since the last symbol when arriving here, and whether all of them were ones. */
  readonly depth: number;
  readonly onlyOnes: boolean;
  zero?: Node;
  one?: Node;
}

function buildTable(): Uint32Array {
  const inner: Node[] = [{ state: 0, symbol: undefined, depth: 0, onlyOnes: true }];
  for (let symbol = 0; symbol <= endOfString; symbol++) plant(inner, symbol);
  const built = new Uint32Array(inner.length * 16);
  for (const node of inner) {
    for (let nibble = 0; nibble < 16; nibble++) built[node.state * 16 + nibble] = step(inner, node, nibble);
  }
  return built;
}

function plant(inner: Node[], symbol: number): void {
  let node = inner[0] as Node;
  const bits = codeBits[symbol] as number;
  for (let bit = bits - 1; bit >= 0; bit--) {
    const side = (((codeWord[symbol] as number) >>> bit) & 1) === 1 ? 'one' : 'zero';
    let next = node[side];
    if (next === undefined) {
      const leaf = bit === 0;
      const onlyOnes = node.onlyOnes && side === 'one';
      next = {
        state: leaf ? 0 : inner.length,
        symbol: leaf ? symbol : undefined,
        depth: node.depth + 1,
        onlyOnes,
      };
      if (!leaf) inner.push(next);
      node[side] = next;
    }
    node = next;
  }
}

function step(inner: readonly Node[], from: Node, nibble: number): number {
  let node = from;
  let symbol: number | undefined;
  for (let bit = 3; bit >= 0; bit--) {
    node = (((nibble >> bit) & 1) === 1 ? node.one : node.zero) as Node;
    if (node.symbol === endOfString) return fails;
    if (node.symbol === undefined) continue;
    symbol = node.symbol;
    node = inner[0] as Node;
  }
  const accepting = node.onlyOnes && node.depth < 8 ? accepts : 0;
  const emitted = symbol === undefined ? 0 : emits | (symbol << 8);
  return node.state | emitted | accepting;
}

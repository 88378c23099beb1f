/** The finishing step of MurmurHash3: every bit of the input changes half of the bits of the output. A bijection. */
export function mix32(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * A text as 32 bits, evenly spread even for `host:8080`, `host:8081` …: each two UTF-16 units are folded in by a
 * multiplication and a shift, both of which lose nothing, and the end is mixed well. Reading the units is most of the
 * cost. (CRC-32 of `address#i`, which some rings use, gives one instance up to 2.8 times its share.) Not for secrets.
 */
export function hash32(text: string, seed = 0): number {
  const { length } = text;
  let h = seed ^ 0x811c9dc5;
  let at = 0;
  for (; at + 1 < length; at += 2) {
    h = Math.imul(h ^ (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16)), 0xcc9e2d51);
    h ^= h >>> 15;
  }
  if (at < length) h = Math.imul(h ^ text.charCodeAt(at), 0xcc9e2d51);
  return mix32(h ^ length);
}

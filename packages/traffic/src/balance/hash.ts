/** The finishing step of MurmurHash3: every bit of the input changes half of the bits of the output. A bijection. */
export function mix32(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * A text as 32 bits, evenly spread even for `host:8080`, `host:8081` … : MurmurHash3 over its UTF-16 units, two at a
 * time. (CRC-32 of `address#i`, which some rings use, gives one instance up to 2.8 times its share.) Not for secrets.
 * Source: A. Appleby, MurmurHash3_x86_32.
 */
export function hash32(text: string, seed = 0): number {
  const { length } = text;
  let h = seed;
  let at = 0;
  for (; at + 1 < length; at += 2) h = round(h, text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16));
  if (at < length) h = round(h, text.charCodeAt(at));
  return mix32(h ^ length);
}

function round(h: number, block: number): number {
  let k = Math.imul(block, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const mixed = h ^ k;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

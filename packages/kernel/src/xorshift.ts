/**
 * A generator of uniform 32-bit numbers with 128 bits of state: fast (a few ns), good for balancing and simulation,
 * not for secrets. The same seed gives the same numbers on every machine.
 *
 * Source: G. Marsaglia, "Xorshift RNGs", 2003 (xor128), seeded through splitmix32.
 */
export function xorshift128(seed: number): () => number {
  let state = seed >>> 0;
  const splitmix = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let x = splitmix();
  let y = splitmix();
  let z = splitmix();
  // Never all zero: the one state that the generator cannot leave.
  let w = splitmix() | 1;
  return () => {
    const t = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
    return w >>> 0;
  };
}

// Code lengths in bits of symbols 0 to 255 (RFC 7541 appendix B). The code is canonical: codes of one length are
// consecutive in the order of their symbols, so the lengths say everything.
// biome-ignore format: sixteen to a line, as in the RFC's table
const lengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

/** The symbol that ends a string of bits; only its first bits appear, as padding. */
export const endOfString = 256;
const endOfStringBits = 30;
const longestBits = 30;

/** Bits in the code of each symbol 0 to 256. */
export const codeBits: Uint8Array = Uint8Array.of(...lengths, endOfStringBits);

/** The code of each symbol, right-aligned. */
export const codeWord: Uint32Array = canonicalCodes();

function canonicalCodes(): Uint32Array {
  const words = new Uint32Array(codeBits.length);
  let next = 0;
  for (let bits = 1; bits <= longestBits; bits++) {
    next *= 2;
    for (let symbol = 0; symbol < codeBits.length; symbol++)
      if (codeBits[symbol] === bits) words[symbol] = next++;
  }
  return words;
}

import { codeBits, codeWord } from './huffman-code.ts';

/** Bytes that `text` (characters 0 to 255) takes when coded. */
export function huffmanSize(text: string): number {
  let bits = 0;
  for (let at = 0; at < text.length; at++) bits += codeBits[text.charCodeAt(at)] as number;
  return (bits + 7) >> 3;
}

/** Writes `text` (characters 0 to 255) coded into `out` from `offset`. Returns the offset behind it. */
export function encodeHuffman(text: string, out: Uint8Array, offset: number): number {
  let at = offset;
  // At most seven bits wait in `held`, and at most 24 come at once: 31 fit the integers that bit operators work on.
  let held = 0;
  let heldBits = 0;
  for (let index = 0; index < text.length; index++) {
    const symbol = text.charCodeAt(index);
    let word = codeWord[symbol] as number;
    let bits = codeBits[symbol] as number;
    if (bits > 24) {
      held = (held << (bits - 16)) | (word >>> 16);
      heldBits += bits - 16;
      while (heldBits >= 8) out[at++] = held >>> (heldBits -= 8);
      held &= (1 << heldBits) - 1;
      word &= 0xffff;
      bits = 16;
    }
    held = (held << bits) | word;
    heldBits += bits;
    while (heldBits >= 8) out[at++] = held >>> (heldBits -= 8);
    held &= (1 << heldBits) - 1;
  }
  if (heldBits > 0) out[at++] = (held << (8 - heldBits)) | (0xff >> heldBits);
  return at;
}

/** SHA-1 (FIPS 180-4), for the handshake of WebSockets, which proves nothing by it. Not for security. */
export function sha1(bytes: Uint8Array): Uint8Array {
  const padded = Buffer.alloc((((bytes.length + 8) >> 6) + 1) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  padded.writeBigUInt64BE(BigInt(bytes.length) * 8n, padded.length - 8);
  const hash = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
  for (let at = 0; at < padded.length; at += 64) addBlock(hash, padded, at);
  const out = Buffer.alloc(20);
  for (const [index, word] of hash.entries()) out.writeUInt32BE(word, 4 * index);
  return out;
}

function addBlock(hash: Uint32Array, bytes: Buffer, start: number): void {
  const words = new Uint32Array(80);
  for (let at = 0; at < 80; at++)
    words[at] =
      at < 16
        ? bytes.readUInt32BE(start + 4 * at)
        : rotated(word(words, at - 3) ^ word(words, at - 8) ^ word(words, at - 14) ^ word(words, at - 16), 1);
  let [a, b, c, d, e] = hash as unknown as [number, number, number, number, number];
  for (let at = 0; at < 80; at++) {
    const [mixed, constant] = round(at, b, c, d);
    const next = (rotated(a, 5) + mixed + e + constant + word(words, at)) >>> 0;
    [e, d, c, b, a] = [d, c, rotated(b, 30), a, next];
  }
  for (const [index, value] of [a, b, c, d, e].entries()) hash[index] = word(hash, index) + value;
}

function round(at: number, b: number, c: number, d: number): [mixed: number, constant: number] {
  if (at < 20) return [((b & c) | (~b & d)) >>> 0, 0x5a827999];
  if (at < 40) return [(b ^ c ^ d) >>> 0, 0x6ed9eba1];
  if (at < 60) return [((b & c) | (b & d) | (c & d)) >>> 0, 0x8f1bbcdc];
  return [(b ^ c ^ d) >>> 0, 0xca62c1d6];
}

function word(words: Uint32Array, at: number): number {
  return words[at] as number;
}

function rotated(value: number, by: number): number {
  return ((value << by) | (value >>> (32 - by))) >>> 0;
}

import type { Message } from '../message/message.ts';

/**
 * The partition of a message: by its key, or by its id where it has none. The same in every process, release and
 * engine, for ever: order per key depends on it. FNV-1a over UTF-8, with the final mix of MurmurHash3 so that keys that
 * differ in one digit spread.
 * Sources: G. Fowler, L. Noll, K. Vo, "FNV hash"; A. Appleby, MurmurHash3 `fmix32`.
 */
export function partitionOf({ key, id }: Pick<Message, 'key' | 'id'>, partitions: number): number {
  return partitions === 1 ? 0 : hash(key === '' ? id : key) % partitions;
}

const utf8 = new TextEncoder();
const seed = 0x811c9dc5;

function hash(text: string): number {
  let h = seed;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    // Beyond ASCII a character has several bytes.
    if (code > 0x7f) return mixed(utf8.encode(text).reduce(step, seed));
    h = step(h, code);
  }
  return mixed(h);
}

function step(h: number, byte: number): number {
  return Math.imul(h ^ byte, 0x01000193);
}

function mixed(hashed: number): number {
  let h = hashed;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

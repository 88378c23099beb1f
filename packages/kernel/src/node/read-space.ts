/**
 * Where sockets read into, all of them, one after the other: `takeRead` copies out what came, at once. Left to itself,
 * Node's stream allocates 64 KiB for each read, and then copies out of it what came.
 */
export const readSpace: Uint8Array = new Uint8Array(65_536);

const slabBytes = 65_536;
// A read above this gets memory of its own: little of a slab would be left for the next.
const largestPart = 32_768;
let slab = new ArrayBuffer(slabBytes);
let used = 0;

/** The first `count` bytes of `readSpace`, as a chunk that belongs to the caller. */
export function takeRead(count: number): Uint8Array {
  if (count > largestPart) return readSpace.slice(0, count);
  if (used + count > slabBytes) {
    slab = new ArrayBuffer(slabBytes);
    used = 0;
  }
  const chunk = new Uint8Array(slab, used, count);
  chunk.set(readSpace.subarray(0, count));
  used += count;
  return chunk;
}

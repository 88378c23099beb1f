/**
 * Where sockets read into, all of them, one after the other: `takeRead` copies out what came, at once. Left to itself,
 * Node's stream allocates memory for each read, and objects to tell of it.
 */
export const readSpace: Uint8Array = new Uint8Array(65_536);

const slabBytes = 65_536;
// A read above this gets memory of its own where little of a slab would be left for the next.
const largestPart = 32_768;
const source = Buffer.from(readSpace.buffer);
let slab = new ArrayBuffer(slabBytes);
let slabBuffer = Buffer.from(slab);
let used = 0;

/** The first `count` bytes of `readSpace`, as a chunk that belongs to the caller. */
export function takeRead(count: number): Uint8Array {
  if (count > slabBytes - used) {
    if (count > largestPart) return readSpace.slice(0, count);
    slab = new ArrayBuffer(slabBytes);
    slabBuffer = Buffer.from(slab);
    used = 0;
  }
  const chunk = new Uint8Array(slab, used, count);
  // As `set` with a part of the space would, without the view that this takes.
  source.copy(slabBuffer, used, 0, count);
  used += count;
  return chunk;
}

/**
 * Nobody will look at this chunk again, or at this last part of one: where nothing was read after it, its memory is
 * read into next. So who keeps up has all that is read in the same few cache lines, and no garbage is made of it.
 */
export function giveBackRead(chunk: Uint8Array): void {
  const { buffer, byteOffset, byteLength } = chunk;
  if (buffer === slab && byteOffset + byteLength === used) used = byteOffset;
}

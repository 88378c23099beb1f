const slabBytes = 65_536;

/** A piece of memory that the output of many connections is put together in, one region after the other. */
export class Slab {
  readonly buffer: Buffer;
  /** Where the next region begins. */
  used = 0;
  /** Regions that are being filled, or whose bytes the system may still have to take. */
  held = 0;

  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(bytes);
  }
}

let current = new Slab(slabBytes);
let spare: Slab | undefined;

/** The slab that a region of `bytes` is to be taken from. Whoever takes it counts it in `held`. */
export function slabFor(bytes: number): Slab {
  if (current.used + bytes <= current.buffer.length) return current;
  const fits = spare !== undefined && bytes <= spare.buffer.length;
  current = fits ? (spare as Slab) : new Slab(Math.max(slabBytes, bytes));
  if (fits) spare = undefined;
  return current;
}

/**
 * The system has taken what was in a region: memory in which nothing is left to take is used again. A connection that
 * sends as fast as it can otherwise costs a new slab for every write, and collecting those was a quarter of all CPU
 * time of a stream of small messages. A region whose bytes wait in a queue is never given back; its slab is garbage
 * when the queue is.
 */
export function release(slab: Slab): void {
  slab.held--;
  if (slab.held > 0) return;
  slab.used = 0;
  if (slab !== current && slab.buffer.length === slabBytes) spare = slab;
}

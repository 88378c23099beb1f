import { hash32, mix32 } from './hash.ts';

/** Points of an instance of weight 100; others in proportion. */
const pointsPerHundred = 150;
/** Points of one instance at most, and of a ring: beyond it all are scaled down. */
const mostPoints = 1 << 14;
const mostInAll = 1 << 20;
/** Room for an index beside a hash in one exact number. */
const indexes = 2 ** 21;

/** An instance on the ring: `slot` is its number there, as long as it stays. */
export interface RingMember {
  readonly id: string;
  readonly weight: number;
  readonly slot: number;
}

/**
 * Points on a circle of 2^32 places; a hash belongs to the first point at or after it. The points of an instance
 * depend on its id and weight alone, so that all clients agree, and a change moves the keys of the changed ones only.
 * Never changed: `changed` gives another one. A look-up is O(1): an index of buckets, then a step or two.
 */
export class Ring {
  readonly length: number;
  readonly #hashes: Uint32Array;
  readonly #slots: Uint32Array;
  /** For each bucket of hashes the first point at or after its start. */
  readonly #buckets: Uint32Array;
  readonly #shift: number;

  private constructor(hashes: Uint32Array, slots: Uint32Array) {
    this.length = hashes.length;
    this.#hashes = hashes;
    this.#slots = slots;
    const bits = Math.max(1, Math.floor(Math.log2(Math.max(2, hashes.length))));
    this.#shift = 32 - bits;
    this.#buckets = bucketsOf(hashes, bits);
  }

  /** `idOf` names the instance in a slot, for the rare points that fall on one place. */
  static of(members: readonly RingMember[], idOf: (slot: number) => string): Ring {
    const counts = pointCounts(members);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const points = new Float64Array(total);
    const owners = new Uint32Array(total);
    let at = 0;
    for (const [index, { id, slot }] of members.entries()) {
      const start = hash32(id);
      // Odd, so that the points of an instance differ.
      const stride = hash32(id, 0x9e3779b9) | 1;
      for (let point = 0; point < (counts[index] as number); point++) {
        points[at] = mix32((start + Math.imul(point, stride)) | 0) * indexes + at;
        owners[at++] = slot;
      }
    }
    points.sort();
    const hashes = new Uint32Array(total);
    const slots = new Uint32Array(total);
    for (let point = 0; point < total; point++) {
      const packed = points[point] as number;
      hashes[point] = Math.floor(packed / indexes);
      slots[point] = owners[packed % indexes] as number;
    }
    orderTies(hashes, slots, idOf);
    return new Ring(hashes, slots);
  }

  /** Without the points of the slots in `gone`, and with those of `added`: one pass over the ring. */
  changed(gone: ReadonlySet<number>, added: readonly RingMember[], idOf: (slot: number) => string): Ring {
    const fresh = Ring.of(added, idOf);
    const hashes = new Uint32Array(this.length + fresh.length);
    const slots = new Uint32Array(this.length + fresh.length);
    // A slot beyond its end stays.
    const leaves = new Uint8Array(1 + Math.max(-1, ...gone));
    for (const slot of gone) leaves[slot] = 1;
    const [oldHashes, oldSlots] = [this.#hashes, this.#slots];
    let to = 0;
    let next = 0;
    let nextHash = fresh.length > 0 ? (fresh.#hashes[0] as number) : Number.POSITIVE_INFINITY;
    const takeFresh = (): void => {
      hashes[to] = nextHash;
      slots[to++] = fresh.#slots[next++] as number;
      nextHash = next < fresh.length ? (fresh.#hashes[next] as number) : Number.POSITIVE_INFINITY;
    };
    for (let from = 0; from < oldHashes.length; from++) {
      const slot = oldSlots[from] as number;
      if (leaves[slot] === 1) continue;
      const hash = oldHashes[from] as number;
      while (nextHash < hash) takeFresh();
      hashes[to] = hash;
      slots[to++] = slot;
    }
    while (next < fresh.length) takeFresh();
    orderTies(hashes.subarray(0, to), slots, idOf);
    return new Ring(hashes.subarray(0, to), slots.subarray(0, to));
  }

  /** True if that many members of these weights fit without being scaled down, so that `changed` keeps to `of`. */
  static fits(members: readonly { readonly weight: number }[]): boolean {
    return members.reduce((sum, { weight }) => sum + pointsOf(weight), 0) <= mostInAll;
  }

  /** The point that a hash belongs to. The ring must not be empty. */
  pointOf(hash: number): number {
    const hashes = this.#hashes;
    let at = this.#buckets[hash >>> this.#shift] as number;
    while (at < hashes.length && (hashes[at] as number) < hash) at++;
    return at === hashes.length ? 0 : at;
  }

  /** Whose point it is. */
  slotAt(point: number): number {
    return this.#slots[point] as number;
  }
}

function pointsOf(weight: number): number {
  return Math.max(1, Math.min(mostPoints, Math.round((weight * pointsPerHundred) / 100)));
}

function pointCounts(members: readonly RingMember[]): number[] {
  const counts = members.map(({ weight }) => pointsOf(weight));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= mostInAll) return counts;
  return counts.map((count) => Math.max(1, Math.floor((count * mostInAll) / total)));
}

function bucketsOf(hashes: Uint32Array, bits: number): Uint32Array {
  const shift = 32 - bits;
  const buckets = new Uint32Array(1 << bits);
  let bucket = 0;
  for (let at = 0; at < hashes.length; at++) {
    const of = (hashes[at] as number) >>> shift;
    while (bucket <= of) buckets[bucket++] = at;
  }
  buckets.fill(hashes.length, bucket);
  return buckets;
}

/** Points on one place stand in the order of their owners' ids, whatever has happened before. */
function orderTies(hashes: Uint32Array, slots: Uint32Array, idOf: (slot: number) => string): void {
  for (let at = 1; at < hashes.length; at++) {
    if (hashes[at] !== hashes[at - 1]) continue;
    for (let back = at; back > 0 && hashes[back] === hashes[back - 1]; back--) {
      const [left, right] = [slots[back - 1] as number, slots[back] as number];
      if (idOf(left) <= idOf(right)) break;
      slots[back - 1] = right;
      slots[back] = left;
    }
  }
}

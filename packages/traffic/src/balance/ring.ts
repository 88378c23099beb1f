import { hash32, mix32 } from './hash.ts';

/** Points of an instance of weight 100; others in proportion. */
const pointsPerHundred = 150;
/** Points of one instance at most, and of a ring: beyond it all are scaled down. */
const mostPoints = 1 << 14;
const mostInAll = 1 << 20;
/** Changes beyond this share of the points cost more than a new ring. */
const fewEdits = 0.25;

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
  /** Hash and slot of each point by turns, in the order of the hashes: they are read together. */
  readonly #points: Uint32Array<ArrayBuffer>;
  /** For each bucket of hashes the first point at or after its start. */
  readonly #buckets: Uint32Array<ArrayBuffer>;
  readonly #shift: number;

  private constructor(points: Uint32Array<ArrayBuffer>, buckets?: Uint32Array<ArrayBuffer>) {
    this.length = points.length >> 1;
    this.#points = points;
    const bits = bitsFor(this.length);
    this.#shift = 32 - bits;
    this.#buckets = buckets ?? bucketsOf(points, bits);
  }

  /** `idOf` names the instance in a slot, for the rare points that fall on one place. */
  static of(members: readonly RingMember[], idOf: (slot: number) => string): Ring {
    return new Ring(pointsOf(members, idOf));
  }

  /**
   * Without `gone` (as they are on the ring) and with `added`: what lies between the changes is copied as it is. Slots of
   * both must have their names.
   */
  changed(gone: readonly RingMember[], added: readonly RingMember[], idOf: (slot: number) => string): Ring {
    const cuts = this.#cuts(gone);
    const fresh = pointsOf(added, idOf);
    const points = new Uint32Array(2 * (this.length - cuts.length) + fresh.length);
    let from = 0;
    let to = 0;
    let cut = 0;
    const copy = (until: number): void => {
      points.set(this.#points.subarray(2 * from, 2 * until), to);
      to += 2 * (until - from);
    };
    const copyUntil = (end: number): void => {
      for (; cut < cuts.length && (cuts[cut] as number) < end; cut++) {
        copy(cuts[cut] as number);
        from = (cuts[cut] as number) + 1;
      }
      copy(end);
      from = end;
    };
    for (let at = 0; at < fresh.length; at += 2) {
      copyUntil(this.#placeFor(fresh[at] as number, idOf(fresh[at + 1] as number), idOf));
      points[to++] = fresh[at] as number;
      points[to++] = fresh[at + 1] as number;
    }
    copyUntil(this.length);
    const same = bitsFor(points.length >> 1) === 32 - this.#shift;
    return new Ring(points, same ? this.#shifted(cuts, fresh) : undefined);
  }

  /** Points that these would have, were there room for all. */
  static sizeOf(members: readonly { readonly weight: number }[]): number {
    return members.reduce((sum, { weight }) => sum + pointCount(weight), 0);
  }

  /** True if so much stays that `changed` is worth while, and neither ring is scaled down. */
  static worthChanging(before: number, after: number, edits: number): boolean {
    return Math.max(before, after) <= mostInAll && edits <= fewEdits * Math.min(before, after);
  }

  /** The point that a hash belongs to. The ring must not be empty. */
  pointOf(hash: number): number {
    const at = this.#atOrAfter(hash);
    return at === this.length ? 0 : at;
  }

  /** Whose point it is. */
  slotAt(point: number): number {
    return this.#points[2 * point + 1] as number;
  }

  #atOrAfter(hash: number): number {
    const points = this.#points;
    let at = this.#buckets[hash >>> this.#shift] as number;
    while (2 * at < points.length && (points[2 * at] as number) < hash) at++;
    return at;
  }

  /** Where the points of `gone` are, in order. */
  #cuts(gone: readonly RingMember[]): Uint32Array {
    const hashes = gone.map((member) => hashesOf(member, pointCount(member.weight)));
    const cuts = new Uint32Array(hashes.reduce((sum, { length }) => sum + length, 0));
    let found = 0;
    for (const [index, each] of hashes.entries()) {
      const { slot } = gone[index] as RingMember;
      for (const hash of each) {
        let at = this.#atOrAfter(hash);
        while (this.slotAt(at) !== slot) at++;
        cuts[found++] = at;
      }
    }
    return cuts.sort();
  }

  /** Before which point a new one goes; those on one place stand in the order of their owners' ids. */
  #placeFor(hash: number, id: string, idOf: (slot: number) => string): number {
    let at = this.#atOrAfter(hash);
    while (at < this.length && this.#points[2 * at] === hash && idOf(this.slotAt(at)) < id) at++;
    return at;
  }

  /** The buckets after a change: each moves by what has come and gone before its start. */
  #shifted(cuts: Uint32Array, fresh: Uint32Array): Uint32Array<ArrayBuffer> {
    const buckets = this.#buckets.slice();
    let bucket = 0;
    let cut = 0;
    let moved = 0;
    /** A change at this hash moves what begins after it. */
    const moveUntil = (hash: number): void => {
      const last = hash >>> this.#shift;
      if (moved === 0) bucket = last + 1;
      for (; bucket <= last; bucket++) buckets[bucket] = (buckets[bucket] as number) + moved;
    };
    const cutBefore = (hash: number): void => {
      for (; cut < cuts.length; cut++) {
        const at = this.#points[2 * (cuts[cut] as number)] as number;
        if (at >= hash) return;
        moveUntil(at);
        moved--;
      }
    };
    for (let at = 0; at < fresh.length; at += 2) {
      cutBefore(fresh[at] as number);
      moveUntil(fresh[at] as number);
      moved++;
    }
    cutBefore(2 ** 32);
    moveUntil(2 ** 32 - 1);
    return buckets;
  }
}

function pointCount(weight: number): number {
  return Math.max(1, Math.min(mostPoints, Math.round((weight * pointsPerHundred) / 100)));
}

/** The hashes of an instance's points, in no order. */
function hashesOf({ id }: RingMember, count: number): Uint32Array {
  const hashes = new Uint32Array(count);
  const start = hash32(id);
  // Odd, so that the points of an instance differ.
  const stride = hash32(id, 0x9e3779b9) | 1;
  for (let point = 0; point < count; point++) hashes[point] = mix32((start + Math.imul(point, stride)) | 0);
  return hashes;
}

function pointsOf(members: readonly RingMember[], idOf: (slot: number) => string): Uint32Array<ArrayBuffer> {
  const total = Ring.sizeOf(members);
  const scale = total <= mostInAll ? 1 : mostInAll / total;
  const each = members.map((member) => {
    return hashesOf(member, Math.max(1, Math.floor(pointCount(member.weight) * scale)));
  });
  const points = new Uint32Array(2 * each.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const [index, hashes] of each.entries()) {
    const { slot } = members[index] as RingMember;
    for (let point = 0; point < hashes.length; point++) {
      points[at++] = hashes[point] as number;
      points[at++] = slot;
    }
  }
  const sorted = sortedByHash(points);
  orderTies(sorted, idOf);
  return sorted;
}

function sortedByHash(points: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  return points.length < 4096 ? sortedAsNumbers(points) : radixSorted(points);
}

/** For a few points: hash and index in one exact number. */
function sortedAsNumbers(points: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const width = 4096;
  const packed = new Float64Array(points.length >> 1);
  for (let at = 0; at < packed.length; at++) packed[at] = (points[2 * at] as number) * width + at;
  packed.sort();
  const sorted = new Uint32Array(points.length);
  for (const [at, each] of packed.entries()) {
    sorted[2 * at] = Math.floor(each / width);
    sorted[2 * at + 1] = points[2 * (each % width) + 1] as number;
  }
  return sorted;
}

/** 16 bits at a time: a comparing sort takes ten times as long for 150,000 points. */
function radixSorted(points: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const half = 1 << 16;
  let source = points;
  let target = new Uint32Array(points.length);
  for (const shift of [0, 16]) {
    const starts = new Uint32Array(half + 1);
    for (let at = 0; at < source.length; at += 2) {
      const digit = ((source[at] as number) >>> shift) & (half - 1);
      starts[digit + 1] = (starts[digit + 1] as number) + 2;
    }
    for (let digit = 0; digit < half; digit++)
      starts[digit + 1] = (starts[digit + 1] as number) + (starts[digit] as number);
    for (let at = 0; at < source.length; at += 2) {
      const hash = source[at] as number;
      const digit = (hash >>> shift) & (half - 1);
      const to = starts[digit] as number;
      starts[digit] = to + 2;
      target[to] = hash;
      target[to + 1] = source[at + 1] as number;
    }
    [source, target] = [target, source];
  }
  return source;
}

function bitsFor(length: number): number {
  // About two points for each bucket: they lie side by side, and the index stays small enough for the caches.
  return Math.max(1, Math.floor(Math.log2(Math.max(2, length))) - 1);
}

function bucketsOf(points: Uint32Array, bits: number): Uint32Array<ArrayBuffer> {
  const shift = 32 - bits;
  const buckets = new Uint32Array(1 << bits);
  let bucket = 0;
  for (let at = 0; at < points.length; at += 2) {
    const of = (points[at] as number) >>> shift;
    while (bucket <= of) buckets[bucket++] = at >> 1;
  }
  return buckets.fill(points.length >> 1, bucket);
}

/** Points on one place stand in the order of their owners' ids, whatever has happened before. */
function orderTies(points: Uint32Array, idOf: (slot: number) => string): void {
  for (let at = 2; at < points.length; at += 2) {
    for (let back = at; back > 0 && points[back] === points[back - 2]; back -= 2) {
      const [left, right] = [points[back - 1] as number, points[back + 1] as number];
      if (idOf(left) <= idOf(right)) break;
      points[back - 1] = right;
      points[back + 1] = left;
    }
  }
}

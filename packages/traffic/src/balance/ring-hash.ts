import type { Call, Random } from '@heddle/kernel';
import { checkOptions, numberFrom, type OptionRule, present } from '../options/check-options.ts';
import { BoundedLoad } from './bounded-load.ts';
import { hash32 } from './hash.ts';
import { hashKey } from './hash-key.ts';
import { type Candidate, inOrderOfId, type Picker, type Policy } from './picker.ts';
import { Ring, type RingMember } from './ring.ts';
import { withWeight } from './untried.ts';

/** What the hashing policies work with. */
export interface HashOptions {
  readonly random: Random;
  /**
   * At most so many times its fair share of the calls in flight for one instance, 1 or more: 1.25 is usual. Further
   * keys of it go to the next on the ring. Default: no bound. Needs `Candidate.load`.
   */
  readonly boundedLoad?: number;
  /** Hears of each pick for a call without a key, which goes to a random instance. Must not throw. */
  readonly onUnkeyed?: (call: Call) => void;
}

/** What `HashOptions` must be. */
export const hashRules: Readonly<Record<keyof HashOptions, OptionRule>> = {
  random: present,
  onUnkeyed: present,
  boundedLoad: numberFrom(1),
};

/** Points that are looked at for an instance with room, before the first one has to do. */
const farthest = 2000;

class RingPicker<C extends Candidate> implements Picker<C> {
  readonly policy = 'ring_hash';
  readonly candidates: readonly C[];
  readonly ring: Ring;
  /** Points that the ring would have, were there room for all. */
  readonly size: number;
  /** By slot; empty where an instance has left. */
  readonly members: readonly (C | undefined)[];
  readonly #options: HashOptions;
  readonly #bound: BoundedLoad | undefined;

  constructor(
    candidates: readonly C[],
    ring: Ring,
    size: number,
    members: readonly (C | undefined)[],
    options: HashOptions,
  ) {
    this.candidates = candidates;
    this.ring = ring;
    this.size = size;
    this.members = members;
    this.#options = options;
    const { boundedLoad } = options;
    this.#bound =
      boundedLoad === undefined ? undefined : new BoundedLoad(boundedLoad, withWeight(candidates));
  }

  pick(call: Call, excluded: readonly string[]): C | undefined {
    if (this.ring.length === 0) return undefined;
    const point = this.ring.pointOf(hashOf(call, this.#options));
    const first = this.members[this.ring.slotAt(point)] as C;
    if (this.#takes(first, excluded)) return first;
    return this.#after(point, first, excluded);
  }

  #takes(candidate: C, excluded: readonly string[]): boolean {
    if (excluded.length > 0 && excluded.includes(candidate.id)) return false;
    return this.#bound === undefined || !this.#bound.isFull(candidate);
  }

  /** Clockwise to the next that takes the call; failing that, the next that was not tried. */
  #after(point: number, first: C, excluded: readonly string[]): C {
    const { ring, members } = this;
    let untried = excluded.includes(first.id) ? undefined : first;
    let at = point;
    for (let left = Math.min(ring.length, farthest); left > 1; left--) {
      at = at + 1 === ring.length ? 0 : at + 1;
      const candidate = members[ring.slotAt(at)] as C;
      if (this.#takes(candidate, excluded)) return candidate;
      if (untried === undefined && !excluded.includes(candidate.id)) untried = candidate;
    }
    return untried ?? first;
  }
}

/** The hash of the call's key; a random one without a key. */
export function hashOf(call: Call, { random, onUnkeyed }: HashOptions): number {
  const key = call.get(hashKey);
  if (key !== undefined) return hash32(key);
  onUnkeyed?.(call);
  return random.uint32();
}

/**
 * Calls with the same `hashKey` to the same instance: a ring with 150 points for each instance of weight 100. When one
 * of N instances comes or goes, about 1/N of the keys move, to it or from it, and no other. An update costs one pass
 * over the ring; the instances' connections are not its business.
 */
export function ringHash(options: HashOptions): Policy {
  checkOptions('ring hash', options, hashRules);
  return <C extends Candidate>(candidates: readonly C[], previous: Picker<C> | undefined): Picker<C> => {
    const ordered = inOrderOfId(candidates);
    const before = previous instanceof RingPicker ? (previous as RingPicker<C>) : undefined;
    return (
      (before === undefined ? undefined : changedFrom(before, ordered, options)) ?? made(ordered, options)
    );
  };
}

function made<C extends Candidate>(ordered: readonly C[], options: HashOptions): RingPicker<C> {
  const able = withWeight(ordered);
  const members = able.map((candidate, slot) => ringMember(candidate, slot));
  const ring = Ring.of(members, (slot) => able[slot]?.id ?? '');
  return new RingPicker(ordered, ring, Ring.sizeOf(members), able, options);
}

/** The picker for a set that is like the one before but for a few; undefined: it is not. */
function changedFrom<C extends Candidate>(
  before: RingPicker<C>,
  ordered: readonly C[],
  options: HashOptions,
): RingPicker<C> | undefined {
  const able = withWeight(ordered);
  const coming = new Map(able.map((candidate) => [candidate.id, candidate]));
  const members = [...before.members];
  const gone: RingMember[] = [];
  const added: RingMember[] = [];
  const free: number[] = [];
  for (const [slot, old] of before.members.entries()) {
    const now = old === undefined ? undefined : coming.get(old.id);
    members[slot] = now;
    // A slot that becomes free now is still on the ring: it can be had at the next update.
    if (old === undefined) free.push(slot);
    if (now !== undefined) coming.delete(now.id);
    if (old === undefined || now?.weight === old.weight) continue;
    gone.push(ringMember(old, slot));
    if (now !== undefined) added.push(ringMember(now, slot));
  }
  for (const newcomer of coming.values()) {
    const slot = free.pop() ?? members.length;
    members[slot] = newcomer;
    added.push(ringMember(newcomer, slot));
  }
  if (gone.length + added.length === 0)
    return new RingPicker(ordered, before.ring, before.size, members, options);
  const [leaving, joining] = [Ring.sizeOf(gone), Ring.sizeOf(added)];
  const size = before.size - leaving + joining;
  if (!Ring.worthChanging(before.size, size, leaving + joining)) return undefined;
  const idOf = (slot: number): string => (members[slot] ?? before.members[slot])?.id ?? '';
  return new RingPicker(ordered, before.ring.changed(gone, added, idOf), size, members, options);
}

/** If all have weight 0, all count alike. */
function ringMember({ id, weight }: Candidate, slot: number): RingMember {
  return { id, weight: weight > 0 ? weight : 100, slot };
}

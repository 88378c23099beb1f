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

/** Who is on the ring, and where. */
interface Seats<C extends Candidate> {
  /** In the order of the ids. */
  readonly able: readonly C[];
  /** Their slots, in the same order. */
  readonly slots: readonly number[];
  /** By slot; empty where an instance has left. */
  readonly members: readonly (C | undefined)[];
  /** Slots that are empty. */
  readonly free: readonly number[];
  /** Points that the ring would have, were there room for all. */
  readonly size: number;
}

class RingPicker<C extends Candidate> implements Picker<C> {
  readonly policy = 'ring_hash';
  readonly candidates: readonly C[];
  readonly ring: Ring;
  readonly seats: Seats<C>;
  readonly #members: readonly (C | undefined)[];
  readonly #options: HashOptions;
  readonly #bound: BoundedLoad | undefined;

  constructor(candidates: readonly C[], ring: Ring, seats: Seats<C>, options: HashOptions) {
    this.candidates = candidates;
    this.ring = ring;
    this.seats = seats;
    this.#members = seats.members;
    this.#options = options;
    const { boundedLoad } = options;
    this.#bound = boundedLoad === undefined ? undefined : new BoundedLoad(boundedLoad, seats.able);
  }

  pick(call: Call, excluded: readonly string[]): C | undefined {
    if (this.ring.length === 0) return undefined;
    const point = this.ring.pointOf(hashOf(call, this.#options));
    const first = this.#members[this.ring.slotAt(point)] as C;
    if (this.#takes(first, excluded)) return first;
    return this.#after(point, first, excluded);
  }

  #takes(candidate: C, excluded: readonly string[]): boolean {
    if (excluded.length > 0 && excluded.includes(candidate.id)) return false;
    return this.#bound === undefined || !this.#bound.isFull(candidate);
  }

  /** Clockwise to the next that takes the call; failing that, the next that was not tried. */
  #after(point: number, first: C, excluded: readonly string[]): C {
    const { ring } = this;
    const members = this.#members;
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
  const onRing = able.map((candidate, slot) => ringMember(candidate, slot));
  const ring = Ring.of(onRing, (slot) => able[slot]?.id ?? '');
  const slots = able.map((_, slot) => slot);
  return new RingPicker(
    ordered,
    ring,
    { able, slots, members: able, free: [], size: Ring.sizeOf(onRing) },
    options,
  );
}

/** The picker for a set that is like the one before but for a few; undefined: it is not. */
function changedFrom<C extends Candidate>(
  { ring, seats }: RingPicker<C>,
  ordered: readonly C[],
  options: HashOptions,
): RingPicker<C> | undefined {
  const next = reseated(seats, withWeight(ordered));
  const { gone, added } = next;
  if (gone.length + added.length === 0) return new RingPicker(ordered, ring, next, options);
  if (!Ring.worthChanging(seats.size, next.size, Ring.sizeOf(gone) + Ring.sizeOf(added))) return undefined;
  const idOf = (slot: number): string => (next.members[slot] ?? seats.members[slot])?.id ?? '';
  return new RingPicker(ordered, ring.changed(gone, added, idOf), next, options);
}

/** Walks through the old set and the new one side by side: both are in the order of the ids. */
function reseated<C extends Candidate>(
  before: Seats<C>,
  able: readonly C[],
): Seats<C> & { readonly gone: readonly RingMember[]; readonly added: readonly RingMember[] } {
  const members = before.members.slice();
  // A slot that becomes empty now is still on the ring: it can be had at the next update.
  const free = before.free.slice();
  const left: number[] = [];
  const slots: number[] = [];
  const gone: RingMember[] = [];
  const added: RingMember[] = [];
  let at = 0;
  const leave = (until: string | undefined): void => {
    for (
      let old = before.able[at];
      old !== undefined && (until === undefined || old.id < until);
      old = before.able[at]
    ) {
      const slot = before.slots[at++] as number;
      gone.push(ringMember(old, slot));
      members[slot] = undefined;
      left.push(slot);
    }
  };
  for (const candidate of able) {
    leave(candidate.id);
    const old = before.able[at];
    const stays = old?.id === candidate.id;
    const slot = stays ? (before.slots[at++] as number) : (free.pop() ?? members.length);
    members[slot] = candidate;
    slots.push(slot);
    if (stays && old.weight === candidate.weight) continue;
    if (stays) gone.push(ringMember(old, slot));
    added.push(ringMember(candidate, slot));
  }
  leave(undefined);
  const size = before.size - Ring.sizeOf(gone) + Ring.sizeOf(added);
  return { able, slots, members, free: [...free, ...left], size, gone, added };
}

/** If all have weight 0, all count alike. */
function ringMember({ id, weight }: Candidate, slot: number): RingMember {
  return { id, weight: weight > 0 ? weight : 100, slot };
}

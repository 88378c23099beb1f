/** A member of a group as it tells of itself when it joins. */
export interface Joined {
  readonly id: string;
  /** The partitions that it has. */
  readonly owned: readonly number[];
}

/** Who has what from now on, and what of that is to be given back first, for others. */
export interface Share {
  readonly owned: readonly number[];
  readonly surplus: readonly number[];
}

/**
 * Shares partitions out so that members have as many as each other, or one more, and keep what they have where that can
 * be. What somebody must give up has no other owner before it was given back: whoever is to have it gets it the next time.
 */
export function shareOut(members: readonly Joined[], partitions: number): ReadonlyMap<string, Share> {
  // Those who have most keep the odd one, so that fewer move.
  const ranked = members.toSorted((a, b) => b.owned.length - a.owned.length || (a.id < b.id ? -1 : 1));
  const taken = new Set(members.flatMap(({ owned }) => owned));
  const free = Array.from({ length: partitions }, (_, at) => at).filter((at) => !taken.has(at));
  const least = Math.floor(partitions / members.length);
  const odd = partitions % members.length;
  return new Map(
    ranked.map(({ id, owned }, rank) => {
      const quota = least + (rank < odd ? 1 : 0);
      const surplus = owned.slice(quota);
      const fresh = free.splice(0, Math.max(0, quota - owned.length));
      return [id, { owned: [...owned, ...fresh], surplus }];
    }),
  );
}

/**
 * Who of a group has which partition. Pure: an engine stores it and feeds it, alone or under a lock.
 *
 * A member says every third of its lease that it lives (`renew`), and is told what it has. It is granted free
 * partitions up to its fair share; what it has beyond that it is asked to give back (`surplus`), and does when its work
 * on them has ended (`release`). So no partition ever has two owners, and those that need not move stay where they are.
 * A member that is silent for a lease has left; the epoch of a partition grows with each grant, and whoever commits with
 * an older one is refused.
 */
export interface GroupState {
  /** When each member's lease ends. */
  readonly members: Readonly<Record<string, number>>;
  /** By partition. */
  readonly claims: readonly ClaimState[];
}

/** One partition of a group. */
export interface ClaimState {
  readonly owner: string | undefined;
  readonly epoch: number;
}

/** What a member says. */
export type GroupInput =
  | { readonly kind: 'renew'; readonly member: string; readonly leaseMs: number }
  | {
      readonly kind: 'release';
      readonly member: string;
      readonly partition: number;
      /** Of the grant that is given back; an older one says nothing. */
      readonly epoch: number;
    }
  | { readonly kind: 'leave'; readonly member: string };

/** A partition that a member has. */
export interface Grant {
  readonly partition: number;
  readonly epoch: number;
  /** Granted by this input. */
  readonly fresh: boolean;
}

/** What the member that spoke is to know. */
export interface GroupEffects {
  readonly owned: readonly Grant[];
  /** Those of `owned` that others wait for. */
  readonly surplus: readonly number[];
  /** Partitions whose owner fell silent, as found by this input. */
  readonly abandoned: readonly number[];
}

/** A group that nobody has joined. */
export function emptyGroup(partitions: number): GroupState {
  return { members: {}, claims: Array.from({ length: partitions }, () => ({ owner: undefined, epoch: 0 })) };
}

/** One input, at `nowMs` of the one clock that all leases of the group are measured by. */
export function stepGroup(
  state: GroupState,
  input: GroupInput,
  nowMs: number,
): { readonly state: GroupState; readonly effects: GroupEffects } {
  const { kept, abandoned } = withoutSilent(state, nowMs);
  switch (input.kind) {
    case 'renew': {
      const members = { ...kept.members, [input.member]: nowMs + input.leaseMs };
      return granted({ ...kept, members }, input.member, abandoned);
    }
    case 'release': {
      const claims = kept.claims.map((claim, at) =>
        at === input.partition && claim.owner === input.member && claim.epoch === input.epoch
          ? { ...claim, owner: undefined }
          : claim,
      );
      return answer({ ...kept, claims }, input.member, [], abandoned);
    }
    case 'leave': {
      const { [input.member]: _left, ...members } = kept.members;
      const claims = kept.claims.map((claim) =>
        claim.owner === input.member ? { ...claim, owner: undefined } : claim,
      );
      return answer({ members, claims }, input.member, [], abandoned);
    }
  }
}

function withoutSilent(
  state: GroupState,
  nowMs: number,
): { readonly kept: GroupState; readonly abandoned: readonly number[] } {
  const entries = Object.entries(state.members);
  const alive = entries.filter(([, untilMs]) => untilMs > nowMs);
  if (alive.length === entries.length) return { kept: state, abandoned: [] };
  const members = Object.fromEntries(alive);
  const abandoned: number[] = [];
  const claims = state.claims.map((claim, partition) => {
    if (claim.owner === undefined || claim.owner in members) return claim;
    abandoned.push(partition);
    return { ...claim, owner: undefined };
  });
  return { kept: { members, claims }, abandoned };
}

/** The share of each member differs by one at most; who has the larger one goes by the order of the names. */
function shareOf(state: GroupState, member: string): number {
  const names = Object.keys(state.members).toSorted();
  const each = Math.floor(state.claims.length / names.length);
  const rest = state.claims.length % names.length;
  return each + (names.indexOf(member) < rest ? 1 : 0);
}

function granted(
  state: GroupState,
  member: string,
  abandoned: readonly number[],
): { readonly state: GroupState; readonly effects: GroupEffects } {
  let room = shareOf(state, member) - state.claims.filter(({ owner }) => owner === member).length;
  const fresh: number[] = [];
  const claims = state.claims.map((claim, partition) => {
    if (claim.owner !== undefined || room <= 0) return claim;
    room -= 1;
    fresh.push(partition);
    return { owner: member, epoch: claim.epoch + 1 };
  });
  return answer({ ...state, claims }, member, fresh, abandoned);
}

function answer(
  state: GroupState,
  member: string,
  fresh: readonly number[],
  abandoned: readonly number[],
): { readonly state: GroupState; readonly effects: GroupEffects } {
  const owned = state.claims.flatMap(({ owner, epoch }, partition) =>
    owner === member ? [{ partition, epoch, fresh: fresh.includes(partition) }] : [],
  );
  const share = member in state.members ? shareOf(state, member) : 0;
  const surplus = owned.slice(share).map(({ partition }) => partition);
  return { state, effects: { owned, surplus, abandoned } };
}

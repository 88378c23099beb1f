import type { Runtime } from '@heddle/kernel';
import { emptyGroup, type GroupInput, type GroupState, stepGroup } from '../../group/group-state.ts';
import type { Holdings } from '../../log/log-store.ts';

/** A group's members and where it is on each partition. */
export class MemoryGroup {
  readonly #temporary: boolean;
  readonly #runtime: Runtime;
  readonly #changed: () => void;
  readonly #next: number[];
  readonly #abandoned: number[];
  #state: GroupState;

  constructor(starts: readonly number[], temporary: boolean, runtime: Runtime, changed: () => void) {
    this.#next = [...starts];
    this.#abandoned = starts.map(() => 0);
    this.#temporary = temporary;
    this.#runtime = runtime;
    this.#changed = changed;
    this.#state = emptyGroup(starts.length);
  }

  next(partition: number): number {
    return this.#next[partition] ?? 0;
  }

  owner(partition: number): string | undefined {
    return this.#state.claims[partition]?.owner;
  }

  renew(member: string, leaseMs: number): Holdings {
    const { owned, surplus } = this.#step({ kind: 'renew', member, leaseMs });
    return {
      owned: owned.map(({ partition, epoch }) => ({
        partition,
        epoch,
        next: this.next(partition),
        abandoned: this.#abandoned[partition] ?? 0,
      })),
      surplus,
    };
  }

  release(member: string, partition: number, epoch: number): void {
    if (this.#state.claims[partition]?.epoch === epoch) this.#abandoned[partition] = 0;
    this.#step({ kind: 'release', member, partition, epoch });
  }

  leave(member: string): 'ended' | undefined {
    this.#step({ kind: 'leave', member });
    return this.#temporary && Object.keys(this.#state.members).length === 0 ? 'ended' : undefined;
  }

  commit(member: string, partition: number, epoch: number, next: number): boolean {
    const claim = this.#state.claims[partition];
    if (claim?.owner !== member || claim.epoch !== epoch) return false;
    this.#next[partition] = next;
    this.#abandoned[partition] = 0;
    return true;
  }

  #step(input: GroupInput): {
    readonly owned: readonly { partition: number; epoch: number }[];
    readonly surplus: readonly number[];
  } {
    const before = this.#state;
    const { state, effects } = stepGroup(before, input, this.#runtime.clock.nowMs());
    this.#state = state;
    for (const partition of effects.abandoned)
      this.#abandoned[partition] = (this.#abandoned[partition] ?? 0) + 1;
    const count = ({ members }: GroupState): number => Object.keys(members).length;
    if (input.kind !== 'renew' || count(before) !== count(state)) this.#changed();
    return effects;
  }
}

import { HeddleError } from '@heddle/kernel';
import { emptyGroup, type GroupInput, type GroupState, stepGroup } from '../../group/group-state.ts';
import type { Holding, Holdings, MemberId } from '../../log/log-store.ts';
import type { Cells } from './cells.ts';
import type { Names } from './names.ts';

/** Where a group is on a partition. */
export interface Position {
  readonly epoch: number;
  readonly next: number;
  readonly abandoned: number;
}

const mostTries = 50;

/** What a step found and did. */
export interface GroupStep {
  readonly holdings: Holdings;
  /** The others have something to do. */
  readonly changed: boolean;
}

/** Groups in cells: one with who has what, one for each position, which carries the epoch that may move it. */
export class NatsGroups {
  readonly #cells: Cells;
  readonly #names: Names;
  /** Positions that were taken or moved here last: a commit is one message, and a renewal none. */
  readonly #seen = new Map<string, { readonly value: Position; readonly revision: number }>();

  readonly #temporary = new Set<string>();

  constructor(cells: Cells, names: Names) {
    this.#cells = cells;
    this.#names = names;
  }

  /** With `starts`, a group that is not there is made with these positions; without, nothing is done. */
  async step(id: MemberId, input: GroupInput, starts?: () => Promise<readonly number[]>): Promise<GroupStep> {
    const subject = this.#names.state(id.topic, id.group);
    for (let tries = 0; tries < mostTries; tries += 1) {
      const cell = await this.#cells.read<GroupState>(subject);
      if (cell.value === undefined) {
        if (starts === undefined) return { holdings: { owned: [], surplus: [] }, changed: false };
        await this.#make(id, await starts());
        continue;
      }
      const nowMs = await this.#cells.nowMs(this.#names.clock);
      const { state, effects } = stepGroup(cell.value, input, nowMs);
      if ((await this.#cells.write(subject, state, cell.revision)) === undefined) continue;
      const before = cell.value;
      await this.#abandon(id, effects.abandoned, before);
      if (input.kind === 'release') await this.#forgive(id, input.partition, input.epoch);
      const held = await Promise.all(
        effects.owned.map(({ partition, epoch }) => this.#hold(id, partition, epoch)),
      );
      const owned = held.filter((holding) => holding !== undefined);
      const count = ({ members }: GroupState): number => Object.keys(members).length;
      const changed = input.kind !== 'renew' || count(before) !== count(state);
      return { holdings: { owned, surplus: effects.surplus }, changed };
    }
    const message = `group ${id.group} of topic ${id.topic} changes too fast to join`;
    throw new HeddleError({ code: 'unavailable', reason: 'GROUP_BUSY', message, sent: false });
  }

  /** Who has what; undefined if there is no such group. */
  async state(topic: string, group: string): Promise<GroupState | undefined> {
    return (await this.#cells.read<GroupState>(this.#names.state(topic, group))).value;
  }

  async position(topic: string, group: string, partition: number): Promise<Position | undefined> {
    return (await this.#cells.read<Position>(this.#names.position(topic, group, partition))).value;
  }

  /** The groups that a topic has. */
  async names(topic: string): Promise<readonly string[]> {
    const subjects = await this.#cells.subjects(this.#names.allGroups(topic));
    return subjects.map((subject) => this.#names.groupOf(subject));
  }

  /** Moves a position, if the epoch is still its own. */
  async commit({ topic, group }: MemberId, partition: number, epoch: number, next: number): Promise<boolean> {
    const subject = this.#names.position(topic, group, partition);
    const wanted: Position = { epoch, next, abandoned: 0 };
    const seen = this.#seen.get(subject);
    let revision =
      seen?.value.epoch === epoch ? await this.#cells.write(subject, wanted, seen.revision) : undefined;
    if (revision === undefined) {
      const cell = await this.#cells.change<Position>(subject, (value) =>
        value?.epoch === epoch ? wanted : undefined,
      );
      if (cell.value?.epoch !== epoch) return false;
      revision = cell.revision;
    }
    this.#seen.set(subject, { value: wanted, revision });
    return true;
  }

  /** A temporary group is its one member, and goes with it; one that died leaves a few messages behind. */
  async leave(id: MemberId): Promise<GroupStep> {
    if (!this.#temporary.delete(key(id))) return this.step(id, { kind: 'leave', member: id.member });
    await this.#cells.purge(this.#names.allOfGroup(id.topic, id.group));
    const own = this.#names.allOfGroup(id.topic, id.group).slice(0, -1);
    for (const subject of this.#seen.keys()) if (subject.startsWith(own)) this.#seen.delete(subject);
    return { holdings: { owned: [], surplus: [] }, changed: false };
  }

  markTemporary(id: MemberId): void {
    this.#temporary.add(key(id));
  }

  async removeAll(topic: string): Promise<void> {
    await this.#cells.purge(this.#names.allOfTopic(topic));
  }

  /** Positions first: a group that is there is whole. Whoever was faster has also said where it begins. */
  async #make({ topic, group }: MemberId, starts: readonly number[]): Promise<void> {
    for (const [partition, next] of starts.entries()) {
      const position: Position = { epoch: 0, next, abandoned: 0 };
      await this.#cells.write(this.#names.position(topic, group, partition), position, 0);
    }
    await this.#cells.write(this.#names.state(topic, group), emptyGroup(starts.length), 0);
  }

  /** Counted only while the position is of the epoch that was abandoned: whoever has it by now has begun anew. */
  async #abandon(
    { topic, group }: MemberId,
    partitions: readonly number[],
    before: GroupState,
  ): Promise<void> {
    for (const partition of partitions)
      await this.#cells.change<Position>(this.#names.position(topic, group, partition), (value) =>
        value !== undefined && value.epoch === before.claims[partition]?.epoch
          ? { ...value, abandoned: value.abandoned + 1 }
          : undefined,
      );
  }

  async #forgive({ topic, group }: MemberId, partition: number, epoch: number): Promise<void> {
    await this.#cells.change<Position>(this.#names.position(topic, group, partition), (value) =>
      value !== undefined && value.epoch === epoch && value.abandoned > 0
        ? { ...value, abandoned: 0 }
        : undefined,
    );
  }

  /** The position takes the epoch before it is read: from then on no older one can move it. */
  async #hold({ topic, group }: MemberId, partition: number, epoch: number): Promise<Holding | undefined> {
    const subject = this.#names.position(topic, group, partition);
    let seen = this.#seen.get(subject);
    if (seen?.value.epoch !== epoch) {
      const { value, revision } = await this.#cells.change<Position>(subject, (found) =>
        found === undefined || found.epoch >= epoch ? undefined : { ...found, epoch },
      );
      if (value?.epoch !== epoch) return undefined;
      seen = { value, revision };
      this.#seen.set(subject, seen);
    }
    return { partition, epoch, next: seen.value.next, abandoned: seen.value.abandoned };
  }
}

function key({ topic, group }: MemberId): string {
  return `${topic} ${group}`;
}

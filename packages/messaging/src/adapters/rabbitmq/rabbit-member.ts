import type { Runtime } from '@heddle/kernel';
import type { Channel } from 'amqplib';
import type { Start } from '../../engine.ts';
import type { Holdings, MemberId } from '../../log/log-store.ts';
import type { RabbitConnection } from './rabbit-connection.ts';
import { rabbitError } from './rabbit-error.ts';
import type { RabbitLocks } from './rabbit-locks.ts';
import type { Names } from './rabbit-names.ts';
import type { RabbitPositions } from './rabbit-positions.ts';
import type { RabbitRegistry } from './rabbit-registry.ts';

/** What a member is made from. */
export interface RabbitMemberOptions {
  readonly runtime: Runtime;
  readonly connection: RabbitConnection;
  readonly registry: RabbitRegistry;
  readonly positions: RabbitPositions;
  readonly locks: RabbitLocks;
  readonly names: Names;
  readonly id: MemberId;
  readonly start: Start;
  readonly temporary: boolean;
  /** Others are to look again: `wanted`, as somebody has nothing and there is nothing free. */
  readonly tell: (text: 'changed' | 'wanted') => void;
}

interface Held {
  readonly epoch: number;
  next: number;
  abandoned: number;
}

/**
 * A member of a group. Who has a partition holds its lock, and how many members there are is the number of consumers of
 * a queue: so everybody knows its fair share, takes what is free up to that, and gives back what is more.
 */
export class RabbitMember {
  readonly #options: RabbitMemberOptions;
  readonly #held = new Map<number, Held>();
  #presence: Channel | undefined;
  #generation = 0;
  #epochs = 0;
  #wanted = false;
  #working: Promise<unknown> = Promise.resolve();

  constructor(options: RabbitMemberOptions) {
    this.#options = options;
  }

  /** Somebody has nothing: what we have beyond the least is to be shared. */
  hearWanted(): void {
    this.#wanted = true;
  }

  renew(): Promise<Holdings> {
    return this.#alone(async () => {
      const { registry, positions, id, start, temporary } = this.#options;
      if (!temporary) await positions.makeGroup(id, start);
      const partitions = await registry.partitionsOf(id.topic);
      const members = await this.#countMembers();
      const least = Math.floor(partitions / members);
      const most = Math.ceil(partitions / members);
      const before = this.#held.size;
      if (before < most) await this.#takeFree(partitions, most);
      if (this.#held.size > before) this.#options.tell('changed');
      else if (before < least) this.#options.tell('wanted');
      const fair = this.#wanted && this.#held.size > least ? Math.max(least, this.#held.size - 1) : most;
      this.#wanted = false;
      return { owned: this.#holdings(), surplus: [...this.#held.keys()].slice(fair) };
    });
  }

  release(partition: number, epoch: number): Promise<void> {
    return this.#alone(async () => {
      const held = this.#held.get(partition);
      if (held?.epoch !== epoch) return;
      this.#held.delete(partition);
      const { locks, tell } = this.#options;
      // A lock that is not ours any more went with the connection: then others write where they are.
      if (this.#generation !== this.#options.connection.generation) return;
      await this.#write(partition, { next: held.next, holder: '', abandoned: held.abandoned });
      await locks.give(this.#lockOf(partition));
      tell('changed');
    });
  }

  /** False if the partition may have another owner by now. */
  async commit(partition: number, epoch: number, next: number): Promise<boolean> {
    const { connection, id } = this.#options;
    const held = this.#held.get(partition);
    if (held?.epoch !== epoch || this.#generation !== connection.generation) return false;
    await this.#write(partition, { next, holder: id.member, abandoned: 0 });
    held.next = next;
    held.abandoned = 0;
    return true;
  }

  leave(): Promise<void> {
    return this.#alone(async () => {
      const presence = this.#presence;
      this.#presence = undefined;
      for (const partition of this.#held.keys()) await this.#options.locks.give(this.#lockOf(partition));
      this.#held.clear();
      await presence?.close().catch(() => {});
      this.#options.tell('changed');
    });
  }

  #holdings(): Holdings['owned'] {
    return [...this.#held].map(([partition, { epoch, next, abandoned }]) => ({
      partition,
      epoch,
      next,
      abandoned,
    }));
  }

  /** Is counted from now on, and how many are. What was held on a connection that was lost is others'. */
  async #countMembers(): Promise<number> {
    const { connection, names, id, temporary, tell } = this.#options;
    if (temporary && this.#generation === connection.generation) return 1;
    const queue = names.members(id.topic, id.group);
    const options = { durable: true, autoDelete: true };
    if (this.#presence === undefined || this.#generation !== connection.generation) {
      const channel = await connection.channel();
      this.#held.clear();
      this.#generation = connection.generation;
      if (temporary) {
        await channel.close();
        return 1;
      }
      channel.on('close', () => {
        if (this.#presence === channel) this.#presence = undefined;
      });
      await connection.answered(channel.assertQueue(queue, options));
      await connection.answered(channel.consume(queue, () => {}, { noAck: true }));
      this.#presence = channel;
      tell('changed');
    }
    const counted = await connection.answered(this.#presence.assertQueue(queue, options));
    return Math.max(1, counted.consumerCount);
  }

  /** From a place of its own on, so that members do not all try the same first. */
  async #takeFree(partitions: number, most: number): Promise<void> {
    const { runtime, locks, temporary } = this.#options;
    const begin = Math.floor(runtime.random.float() * partitions);
    for (let step = 0; step < partitions && this.#held.size < most; step += 1) {
      const partition = (begin + step) % partitions;
      if (this.#held.has(partition)) continue;
      if (temporary || (await locks.take(this.#lockOf(partition)))) await this.#take(partition);
    }
  }

  async #take(partition: number): Promise<void> {
    const { positions, id, start, temporary } = this.#options;
    const { topic, group, member } = id;
    const found = temporary
      ? { next: await positions.startOf(topic, partition, start), holder: '', abandoned: 0 }
      : await positions.read(topic, group, partition);
    const silent = found.holder !== '' && found.holder !== member;
    const abandoned = found.abandoned + (silent ? 1 : 0);
    await this.#write(partition, { next: found.next, holder: member, abandoned });
    this.#epochs += 1;
    this.#held.set(partition, { epoch: this.#epochs, next: found.next, abandoned });
  }

  /** A group that ends with its member need not be known to anybody else. */
  async #write(
    partition: number,
    position: { readonly next: number; readonly holder: string; readonly abandoned: number },
  ): Promise<void> {
    const { positions, id, temporary } = this.#options;
    if (!temporary) await positions.write(id.topic, id.group, partition, position);
  }

  #lockOf(partition: number): string {
    return partitionLock(this.#options.id.topic, this.#options.id.group, partition);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#working.then(work).catch((thrown: unknown) => {
      throw rabbitError(thrown);
    });
    this.#working = done.catch(() => {});
    return done;
  }
}

/** What whoever has the partition for the group holds. */
export function partitionLock(topic: string, group: string, partition: number): string {
  return `partition.${topic}.${group}.${partition}`;
}

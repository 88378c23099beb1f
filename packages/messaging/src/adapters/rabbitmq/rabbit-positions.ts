import type { Start } from '../../engine.ts';
import type { MemberId } from '../../log/log-store.ts';
import type { RabbitLocks } from './rabbit-locks.ts';
import type { Names } from './rabbit-names.ts';
import { forEach, type RabbitRegistry } from './rabbit-registry.ts';
import type { RabbitStreams } from './rabbit-streams.ts';

/** Where a group is on a partition. */
export interface Position {
  /** The first offset that is not done. */
  readonly next: number;
  /** The member that has the partition, or had it and fell silent; empty if it was given back. */
  readonly holder: string;
  /** How often, one time after another, whoever had it fell silent before it could commit anything more. */
  readonly abandoned: number;
}

// Only the last entry matters: the rest goes, a segment at a time.
const limits = { maxBytes: 1_000_000, segmentBytes: 500_000 };

/** Where groups are: each writes it into a stream of its own for each partition, and the last word counts. */
export class RabbitPositions {
  readonly #streams: RabbitStreams;
  readonly #registry: RabbitRegistry;
  readonly #locks: RabbitLocks;
  readonly #names: Names;

  constructor(streams: RabbitStreams, registry: RabbitRegistry, locks: RabbitLocks, names: Names) {
    this.#streams = streams;
    this.#registry = registry;
    this.#locks = locks;
    this.#names = names;
  }

  /** Makes the group, which then begins here, unless it was made before. */
  async makeGroup({ topic, group }: MemberId, start: Start): Promise<void> {
    if (await this.#registry.hasGroup(topic, group)) return;
    await this.#locks.holding(`group.${topic}.${group}`, async () => {
      if (await this.#registry.hasGroup(topic, group)) return;
      await forEach(await this.#registry.partitionsOf(topic), async (partition) => {
        await this.#streams.make(this.#names.position(topic, group, partition), limits);
        const next = await this.startOf(topic, partition, start);
        await this.write(topic, group, partition, { next, holder: '', abandoned: 0 });
      });
      await this.#registry.addGroup(topic, group);
    });
  }

  /** Where a group that begins now would begin. */
  async startOf(topic: string, partition: number, start: Start): Promise<number> {
    const name = this.#names.partition(topic, partition);
    return start === 'earliest' ? this.#streams.begin(name) : this.#streams.end(name);
  }

  async read(topic: string, group: string, partition: number): Promise<Position> {
    const last = (await this.#streams.last(this.#names.position(topic, group, partition))).at(-1);
    return last === undefined || last.content.length === 0
      ? { next: 1, holder: '', abandoned: 0 }
      : (JSON.parse(last.content.toString()) as Position);
  }

  /** To be called by whoever has the partition. */
  async write(topic: string, group: string, partition: number, position: Position): Promise<void> {
    const content = Buffer.from(JSON.stringify(position));
    const to = this.#names.position(topic, group, partition);
    await this.#streams.publish([{ to, content, properties: { persistent: true } }]);
  }
}

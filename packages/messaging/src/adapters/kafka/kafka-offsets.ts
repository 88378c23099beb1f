import { listOffsetsV7, offsetCommitV8, offsetFetchV8 } from '@platformatic/kafka';
import type { KafkaCluster } from './kafka-cluster.ts';
import { kafkaError } from './kafka-error.ts';

/** How far a group is on a partition, as it is kept with the group. */
export interface Committed {
  /** The first offset that is not done; undefined where the group has not begun. */
  readonly next: number | undefined;
  /** The member that has the partition, or had it and fell silent; empty if it was given back. */
  readonly holder: string;
  /** How often, one time after another, whoever had it fell silent before it could commit anything more. */
  readonly abandoned: number;
}

const timestamps = { earliest: -2n, latest: -1n } as const;

/** The first offset that there is, or the one that the next message will get, by partition. */
export async function offsetsOf(
  cluster: KafkaCluster,
  topic: string,
  shown: string,
  which: keyof typeof timestamps,
): Promise<readonly number[]> {
  const { leaders } = await cluster.topic(topic, shown);
  const found = leaders.map(() => 0);
  const byLeader = Map.groupBy(leaders.keys(), (partition) => {
    const { host, port } = leaders[partition] as { host: string; port: number };
    return `${host}:${port}`;
  });
  for (const own of byLeader.values()) {
    const leader = leaders[own[0] ?? 0];
    if (leader === undefined) continue;
    const partitions = own.map((partitionIndex) => ({
      partitionIndex,
      currentLeaderEpoch: -1,
      timestamp: timestamps[which],
    }));
    try {
      const answer = await listOffsetsV7.api.async(await cluster.connection(leader), -1, 0, [
        { name: topic, partitions },
      ]);
      for (const { partitionIndex, offset } of answer.topics[0]?.partitions ?? [])
        found[partitionIndex] = Number(offset);
    } catch (thrown) {
      cluster.forget(topic);
      throw kafkaError(thrown);
    }
  }
  return found;
}

/** How far a group is, by partition, in the order asked for. */
export async function committedOf(
  cluster: KafkaCluster,
  group: string,
  topic: string,
  partitions: readonly number[],
): Promise<readonly Committed[]> {
  try {
    const connection = await cluster.connection(await cluster.coordinator(group));
    const asked = [
      { groupId: group, memberEpoch: -1, topics: [{ name: topic, partitionIndexes: [...partitions] }] },
    ];
    const answer = await offsetFetchV8.api.async(connection, asked, false);
    const found = new Map(
      answer.groups[0]?.topics[0]?.partitions.map((each) => [each.partitionIndex, each]) ?? [],
    );
    return partitions.map((partition) => {
      const each = found.get(partition);
      const [holder = '', abandoned = '0'] = (each?.metadata ?? '').split(' ');
      const at = Number(each?.committedOffset ?? -1n);
      return { next: at < 0 ? undefined : at, holder, abandoned: Number(abandoned) };
    });
  } catch (thrown) {
    cluster.forgetGroup(group);
    throw kafkaError(thrown);
  }
}

/** Who commits. */
export interface Committer {
  readonly group: string;
  readonly generation: number;
  readonly memberId: string;
}

/** Keeps how far a group is; rejects with Kafka's own error. */
export async function commitTo(
  cluster: KafkaCluster,
  { group, generation, memberId }: Committer,
  topic: string,
  all: ReadonlyMap<number, Committed>,
): Promise<void> {
  const connection = await cluster.connection(await cluster.coordinator(group));
  const partitions = [...all].map(([partitionIndex, { next = 0, holder, abandoned }]) => ({
    partitionIndex,
    committedOffset: BigInt(next),
    committedLeaderEpoch: -1,
    committedMetadata: `${holder} ${abandoned}`,
  }));
  await offsetCommitV8.api.async(connection, group, generation, memberId, null, [
    { name: topic, partitions },
  ]);
}

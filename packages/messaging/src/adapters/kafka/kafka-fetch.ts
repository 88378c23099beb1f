import { type Connection, fetchV13, type RecordsBatch, ResponseError } from '@platformatic/kafka';
import type { Stored } from '../../log/log-store.ts';
import { readRecord } from './kafka-records.ts';

/** A place to read from. */
export interface Wanted {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly next: number;
}

/** What was there. */
export interface Fetched {
  readonly topicId: string;
  readonly partition: number;
  /** The name of Kafka's error, by number; 0 if there was none. */
  readonly errorCode: number;
  readonly stored: readonly Stored[];
  /** Offsets of messages that were taken away. */
  readonly discarded: readonly number[];
  /** Where to go on. */
  readonly next: number;
}

const mostBytes = 16 * 1024 * 1024;
const mostBytesPerPartition = 1024 * 1024;
const controlBatch = 0x20;

/** Reads from several places of one server; with `waitMs`, until there is something or that time is over. */
export async function fetchFrom(
  connection: Connection,
  wanted: readonly Wanted[],
  waitMs: number,
): Promise<readonly Fetched[]> {
  const topics = [...Map.groupBy(wanted, ({ topicId }) => topicId)].map(([topicId, own]) => ({
    topicId,
    partitions: own.map(({ partition, next }) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(next),
      lastFetchedEpoch: -1,
      partitionMaxBytes: mostBytesPerPartition,
    })),
  }));
  const answer = await fetchV13.api
    .async(connection, waitMs, 1, mostBytes, 0, 0, -1, topics, [], '')
    .catch((thrown: unknown) => {
      // An error of one partition is no reason to throw away what the others had.
      if (thrown instanceof ResponseError) return thrown['response'] as fetchV13.FetchResponse;
      throw thrown;
    });
  const places = new Map(wanted.map((each) => [`${each.topicId} ${each.partition}`, each]));
  return answer.responses.flatMap(({ topicId, partitions }) =>
    partitions.flatMap(({ partitionIndex, errorCode, records }) => {
      const place = places.get(`${topicId} ${partitionIndex}`);
      return place === undefined ? [] : [contentOf(place, errorCode, records ?? [])];
    }),
  );
}

function contentOf(place: Wanted, errorCode: number, batches: readonly RecordsBatch[]): Fetched {
  const { topic, topicId, partition } = place;
  const stored: Stored[] = [];
  const discarded: number[] = [];
  let { next } = place;
  for (const batch of batches) {
    const first = Number(batch.firstOffset);
    next = Math.max(next, first + batch.lastOffsetDelta + 1);
    if ((batch.attributes & controlBatch) !== 0) continue;
    for (const record of batch.records) {
      const offset = first + record.offsetDelta;
      // A batch is given whole, also when the place is in its middle.
      if (offset < place.next) continue;
      const read = readRecord(topic, partition, offset, record);
      if ('stored' in read) stored.push(read.stored);
      else discarded.push(read.discards);
    }
  }
  return { topicId, partition, errorCode, stored, discarded, next };
}

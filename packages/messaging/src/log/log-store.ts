import type { Delivery, Message } from '../message/message.ts';
import type { EnginePromises, PartitionLag, Start } from '../engine.ts';
import type { TopicInfo } from '../topic/topic.ts';

/** Which member of which group of which topic. */
export interface MemberId {
  readonly topic: string;
  readonly group: string;
  readonly member: string;
}

/** A partition that a member has, as the store knows it. */
export interface Holding {
  readonly partition: number;
  readonly epoch: number;
  /** The first offset that the group has not committed. */
  readonly next: number;
  /** How often, one time after another, whoever had it fell silent before it could commit anything more. */
  readonly abandoned: number;
}

/** What a member has, and what of that others wait for. */
export interface Holdings {
  readonly owned: readonly Holding[];
  readonly surplus: readonly number[];
  /** From when the lease counts, by the monotonic clock. Default: from when it was asked for. */
  readonly sinceMs?: number;
}

/** A message where it lies. */
export type Stored = Omit<Delivery, 'attempt'>;

/**
 * What an engine made of a log needs from whatever keeps the log: `leasedEngine` does the rest. Membership is that of
 * `GroupState`, with the store's own clock; every method rejects with a `HeddleError`.
 */
export interface LogStore {
  readonly name: string;
  readonly promises: EnginePromises;
  /** A `read` that finds fewer than it may has found all there was: until `onAppend` calls, another finds nothing. */
  readonly readsToTheEnd?: boolean;
  createTopic(topic: TopicInfo): Promise<void>;
  deleteTopic(name: string): Promise<boolean>;
  topics(): Promise<readonly TopicInfo[]>;
  append(messages: readonly Message[]): Promise<void>;
  /**
   * Says that the member lives, and makes the group if there is none: a `temporary` one ends when its members have left.
   */
  renew(
    id: MemberId,
    options: { readonly start: Start; readonly leaseMs: number; readonly temporary: boolean },
  ): Promise<Holdings>;
  release(id: MemberId, partition: number, epoch: number): Promise<void>;
  leave(id: MemberId): Promise<void>;
  /** In order, from offset `from` on. */
  read(topic: string, partition: number, from: number, max: number): Promise<readonly Stored[]>;
  /**
   * All before `next` is done. False if the epoch is not the partition's any more: then nothing has changed. `atMostOnce`:
   * it must be durable when it resolves; else a crash of the server may take it back.
   */
  commit(id: MemberId, partition: number, epoch: number, next: number, atMostOnce: boolean): Promise<boolean>;
  /**
   * Something may have been appended to the topic: to the partition that is named, or to any. A missed call costs time and
   * nothing else. Returns what ends it.
   */
  onAppend(topic: string, listener: (partition?: number) => void): () => void;
  /** Members of the group came, left, or gave something back. As `onAppend` otherwise. */
  onMembers(topic: string, group: string, listener: () => void): () => void;
  lag(topic: string, group: string): Promise<readonly PartitionLag[]>;
  browse(topic: string, limit: number): Promise<readonly Stored[]>;
  discard(topic: string, partition: number, offset: number): Promise<boolean>;
  close(): Promise<void>;
}

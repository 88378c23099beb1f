import type { HeddleError } from '@heddle/kernel';
import type { Delivery, Message } from './message/message.ts';
import type { OneShot } from './one-shot.ts';
import type { TopicInfo } from './topic/topic.ts';

/** Where a group that is new begins. A group that exists goes on where it was. */
export type Start = 'earliest' | 'latest';

/** What an engine promises, and what it cannot do. A call that needs what is missing rejects with `UNSUPPORTED`. */
export interface EnginePromises {
  /** When `append` has resolved: the message survives a power cut, the death of the broker's process, or neither. */
  readonly durable: 'power cut' | 'process' | 'none';
  /** Messages with `deliverAtMs`. */
  readonly delayed: boolean;
  /** Groups that begin at the earliest message. */
  readonly replay: boolean;
  /** Two appends of one message id within some time are one. */
  readonly deduplicates: boolean;
  /** False: what is older than the topic's retention goes, also if a group has not had it. */
  readonly keepsUnread: boolean;
  /** Largest payload in bytes. */
  readonly maxPayloadBytes: number;
}

/** Joining a group. */
export interface JoinOptions {
  readonly topic: TopicInfo;
  readonly group: string;
  /** Who joins; unique. */
  readonly member: string;
  readonly start: Start;
  /** True for a group that is this member alone, and ends with it. */
  readonly temporary: boolean;
  /** A partition is ours from now on. */
  readonly onClaim: (claim: Claim) => void;
  /** The engine cannot be reached, or can again (undefined). */
  readonly onProblem: (problem: HeddleError | undefined) => void;
}

/** A member's place in a group. */
export interface Membership {
  /** Takes no more partitions, and ends the claims there are; they are still ours until they are released. */
  end(): void;
  /** Leaves for good: call when the work on the claims has ended. Never rejects. */
  leave(): Promise<void>;
}

/** One partition, for as long as nobody else of the group has it. */
export interface Claim {
  readonly partition: number;
  /** Up to `max` messages after those taken before, in order; waits for at least one. Undefined: the claim is over. */
  take(max: number): Promise<readonly Delivery[] | undefined>;
  /**
   * They need not be delivered again, in whatever order they were done; a crash of the server may forget that, and they
   * come again. Before they are handled it is durable when it resolves. Rejects with `aborted` / `CLAIM_LOST` when
   * somebody else has the partition by now.
   */
  ack(deliveries: readonly Delivery[], before?: 'handling'): Promise<void>;
  /** `take` has answered undefined, or will: what runs may end, and then the partition is given back. */
  readonly over: OneShot;
  /** Somebody else may have the partition by now: what runs is done again there. Always after `over`. */
  readonly lost: OneShot;
  /** The work has ended: another member may have it. Must be called once after the claim is over. Never rejects. */
  release(): Promise<void>;
}

/** How far a group is behind on one partition. */
export interface PartitionLag {
  readonly partition: number;
  /** Messages that were not acknowledged yet. */
  readonly behind: number;
  /** The member that has it; undefined if none. */
  readonly owner: string | undefined;
}

/**
 * What a broker is built on: partitions that grow, and groups whose members share them, one at a time each.
 * All methods have deadlines of their own and reject with a `HeddleError`; `unavailable` invites another try.
 */
export interface Engine {
  /** E.g. `postgres`; for people and metrics. */
  readonly name: string;
  readonly promises: EnginePromises;
  /** Makes it, or finds it made: one with other partitions is `already_exists` / `TOPIC_DIFFERS`. */
  createTopic(topic: TopicInfo): Promise<void>;
  /** Removes a topic with all that is in it. False if there was none. */
  deleteTopic(name: string): Promise<boolean>;
  /** Sorted by name. */
  topics(): Promise<readonly TopicInfo[]>;
  /**
   * Puts them at the end of their partitions, those of one partition in this order, all or (where the engine can) none;
   * resolves when that is as durable as promised. `not_found` / `NO_TOPIC` for a topic that was not made.
   */
  append(messages: readonly Message[]): Promise<void>;
  join(options: JoinOptions): Membership;
  lag(topic: string, group: string): Promise<readonly PartitionLag[]>;
  /** Looks at messages without taking them, oldest first, of all partitions. For dead letters. */
  browse(topic: string, limit: number): Promise<readonly Delivery[]>;
  /** Removes one message for good. False if it is not there (any more). */
  discard(topic: string, partition: number, offset: number): Promise<boolean>;
  /** Ends everything that was joined here. Never rejects. */
  close(): Promise<void>;
}

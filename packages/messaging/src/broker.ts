import type { Call, Service } from '@heddle/kernel';
import type { Backoff } from '@heddle/traffic';
import type { BatchHandler } from './delivery/handling.ts';
import type { EnginePromises, PartitionLag, Start } from './engine.ts';
import type { DeadLetters } from './delivery/dead-letters.ts';
import type { Delivery, Message, MessageInit } from './message/message.ts';
import type { TopicInfo, TopicOptions } from './topic/topic.ts';

/**
 * `at-least-once`: when it resolves, the message is as durable as the engine promises; a failure that may pass is tried
 * again for a while, so that it may be there twice, under one id. `at-most-once`: one try, and never twice.
 * For exactly one effect, publish through an `outbox` and consume through an `inbox`.
 */
export type PublishMode = 'at-least-once' | 'at-most-once';

/** How to publish. */
export interface PublishOptions {
  /** Default `at-least-once`. */
  readonly mode?: PublishMode;
  /** Whose context the message carries, and who gives up. */
  readonly call?: Call;
}

/**
 * Who gets a message: one member of the `group`, or with `broadcast` every subscriber, from when it subscribes on.
 * One of the two words must be said.
 */
export type Audience =
  | { readonly group: string; readonly broadcast?: never }
  | { readonly broadcast: true; readonly group?: never };

/** How to subscribe. */
export type SubscribeOptions = Audience & {
  /** Where a new group begins. Default `earliest`; a broadcast always begins at the latest. */
  readonly from?: Start;
  /** `at-most-once` acknowledges before the handler runs. Default `at-least-once`. */
  readonly mode?: PublishMode;
  /** Messages handled side by side on each partition; those of one key stay in order. Default 1. */
  readonly concurrency?: number;
  /** Attempts in all, then the message goes to the dead letters. Default 5; with `at-most-once` always 1. */
  readonly attempts?: number;
  /** Waits between attempts. Default: full jitter up to 100 ms, doubling, at most 30 s. */
  readonly backoff?: Backoff;
  /** How long one attempt may take. Default 30000. */
  readonly handlerTimeoutMs?: number;
};

/** Something that is subscribed. */
export interface Subscription {
  /** Takes nothing more; resolves when what runs has ended and the partitions are given back. Never rejects. */
  close(): Promise<void>;
}

/**
 * Sends and receives messages. Made by `broker`; all methods reject with a `HeddleError`, bad input with every problem
 * named and before anything is sent.
 */
export interface Broker {
  readonly name: string;
  readonly promises: EnginePromises;
  /** Makes a topic, or finds it made; `already_exists` / `TOPIC_DIFFERS` if it has other partitions. */
  createTopic(name: string, options?: TopicOptions): Promise<TopicInfo>;
  topics(): Promise<readonly TopicInfo[]>;
  publish(message: MessageInit, options?: PublishOptions): Promise<Message>;
  /** All of them; those of one key stay in this order. */
  publishBatch(messages: readonly MessageInit[], options?: PublishOptions): Promise<readonly Message[]>;
  /** A command: `publish` with that kind. One receiver is to do it. */
  send(command: MessageInit, options?: PublishOptions): Promise<Message>;
  /**
   * A query, or a command of that `kind`, and its answer. The call's deadline is how long it waits (default 5 s: `deadline_exceeded` /
   * `NO_REPLY`), and the receiver knows it. An error of the receiver comes back as it was.
   */
  request(query: MessageInit, call: Call): Promise<Message>;
  subscribe(
    topic: string,
    options: SubscribeOptions,
    handler: Service<Delivery, void>,
  ): Promise<Subscription>;
  /** Up to `batch` (default 100) messages of a partition at a time, all done or none; see `inbox`. */
  subscribeBatch(
    topic: string,
    options: SubscribeOptions & { readonly batch?: number },
    handler: BatchHandler,
  ): Promise<Subscription>;
  /** Answers queries of a topic: what the handler returns goes to who asked. */
  answer(
    topic: string,
    options: SubscribeOptions,
    handler: Service<Delivery, Pick<MessageInit, 'payload'> & Partial<MessageInit>>,
  ): Promise<Subscription>;
  lag(topic: string, group: string): Promise<readonly PartitionLag[]>;
  /** What a group could not handle. */
  deadLetters(topic: string, group: string): DeadLetters;
  /** Closes all subscriptions, then the engine. Never rejects. */
  close(): Promise<void>;
}

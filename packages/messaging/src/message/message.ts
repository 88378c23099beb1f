import type { TraceContext } from '@heddle/kernel';

/** What a message is: an order to one receiver, a fact for all who care, or a question that is answered. */
export const messageKinds = ['command', 'event', 'query'] as const;
/** One of `messageKinds`. */
export type MessageKind = (typeof messageKinds)[number];

/**
 * One message, complete. Never changed in place. Its fields are those of CloudEvents 1.0 (`cloud-event.ts` says which
 * is which), so that a receiver in another language reads it too.
 */
export interface Message {
  /** Unique for ever: what an inbox knows a repetition by. */
  readonly id: string;
  readonly kind: MessageKind;
  readonly topic: string;
  /** What is to stay in order: messages of one key go to one partition. Empty: no order is asked for. */
  readonly key: string;
  /** What happened, or what is to be done, e.g. `order.placed`. Default: the topic's name. */
  readonly type: string;
  readonly payload: Uint8Array;
  /** Of the payload, e.g. `application/json`. */
  readonly contentType: string;
  /** Name and version of the payload's schema; empty and 0 where there is none. */
  readonly schema: string;
  readonly schemaVersion: number;
  /** The service that sent it. */
  readonly source: string;
  /** One for all that a single request from outside has set off. */
  readonly correlationId: string;
  /** The id of the message that this one follows from; empty if none. */
  readonly causationId: string;
  /** The topic that an answer goes to; empty if none is wanted. */
  readonly replyTo: string;
  /** When it was made: milliseconds since 1970. */
  readonly timeMs: number;
  /** For events of an aggregate: whose, and the version that it had then. */
  readonly aggregateId: string;
  readonly aggregateVersion: number;
  /** Not delivered before this moment, in milliseconds since 1970; 0: at once. */
  readonly deliverAtMs: number;
  /** W3C trace context of the sender's call. */
  readonly trace: TraceContext | undefined;
  /** What else the application says. Names are lower case: letters, digits, `-`, `.`, `_`. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * What a sender states. Defaults: a new id, kind `event`, no key, type = topic, `application/json`, no schema, time and
 * correlation of the call at hand (a new correlation id where there is none), nothing else.
 */
export type MessageInit = Pick<Message, 'topic' | 'payload'> & Partial<Message>;

/** How often and from where a message came to a handler. */
export interface Delivery {
  readonly message: Message;
  readonly partition: number;
  /** Grows along a partition, not necessarily by one. What it counts is the engine's own affair. */
  readonly offset: number;
  /** From 1. More than 1: a handler has failed on it, or its consumer died while it had it. */
  readonly attempt: number;
}

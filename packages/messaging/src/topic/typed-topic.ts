import type { Call } from '@heddle/kernel';
import type { Broker, PublishOptions, SubscribeOptions, Subscription } from '../broker.ts';
import type { Delivery, Message, MessageInit } from '../message/message.ts';
import type { Codec } from './codec.ts';
import { type Evolution, readAs } from './evolution.ts';

/** What a typed topic is made from. */
export interface TypedTopicOptions<T> extends Evolution {
  readonly name: string;
  readonly codec: Codec<T>;
  /** Name and version of the schema, which each message carries. Default: none. */
  readonly schema?: string;
  readonly schemaVersion?: number;
}

/** What is said of one message besides its value. */
export type TypedInit = Omit<
  Partial<MessageInit>,
  'topic' | 'payload' | 'contentType' | 'schema' | 'schemaVersion'
>;

/** A topic whose values have a type. */
export interface TypedTopic<T> {
  /** Rejects with `BAD_PAYLOAD` before anything is sent if the value is not what the schema says. */
  publish(value: T, init?: TypedInit, options?: PublishOptions): Promise<Message>;
  /** A payload that is not what the schema says goes to the dead letters at once: no other try would make it better. */
  subscribe(
    options: SubscribeOptions,
    handler: (value: T, delivery: Delivery, call: Call) => Promise<void>,
  ): Promise<Subscription>;
}

/** Values instead of bytes, on any broker. The topic itself is made with `createTopic`. */
export function typedTopic<T>(broker: Broker, options: TypedTopicOptions<T>): TypedTopic<T> {
  const { name: topic, codec, schema = '', schemaVersion = 0 } = options;
  const reading = { ...options, schema, schemaVersion };
  return {
    publish: async (value, init = {}, publishOptions = {}) => {
      const payload = await codec.encode(value);
      const { contentType } = codec;
      return broker.publish({ ...init, topic, payload, contentType, schema, schemaVersion }, publishOptions);
    },
    subscribe: (subscribeOptions, handler) =>
      broker.subscribe(topic, subscribeOptions, async (delivery, call) =>
        handler(await readAs(codec, reading, delivery.message), delivery, call),
      ),
  };
}

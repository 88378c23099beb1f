export type {
  Audience,
  Broker,
  PublishMode,
  PublishOptions,
  SubscribeOptions,
  Subscription,
} from './broker.ts';
export { broker, type BrokerOptions } from './bus/engine-broker.ts';
export type { BrokerMeasures } from './bus/measures.ts';
export { brokerMetrics } from './bus/metrics.ts';
export { type DeadLetter, DeadLetters } from './delivery/dead-letters.ts';
export type { BatchHandler } from './delivery/handling.ts';
export type {
  Claim,
  Engine,
  EnginePromises,
  JoinOptions,
  Membership,
  PartitionLag,
  Start,
} from './engine.ts';
export { type Attributes, fromAttributes, toAttributes } from './message/cloud-event.ts';
export { completeMessage, maxPayloadBytes, type Sender } from './message/complete-message.ts';
export {
  type Delivery,
  type Message,
  type MessageInit,
  type MessageKind,
  messageKinds,
} from './message/message.ts';
export { OneShot } from './one-shot.ts';
export { partitionOf } from './topic/partition-of.ts';
export { type TopicInfo, type TopicOptions } from './topic/topic.ts';
export { inbox, type InboxHandler, type InboxStore } from './inbox/inbox.ts';
export { MemoryInbox } from './inbox/memory-inbox.ts';
export { SqlInbox, type SqlInboxOptions } from './inbox/sql-inbox.ts';
export { MemoryOutbox } from './outbox/memory-outbox.ts';
export { Outbox, type OutboxEntry, type OutboxOptions, type OutboxStore } from './outbox/outbox.ts';
export { SqlOutbox, type SqlOutboxOptions } from './outbox/sql-outbox.ts';
export {
  type Codec,
  json,
  protobuf,
  type StandardIssue,
  type StandardResult,
  type StandardSchema,
} from './topic/codec.ts';
export { type TypedInit, type TypedTopic, typedTopic, type TypedTopicOptions } from './topic/typed-topic.ts';
export type { Evolution, MessageUpcasts } from './topic/evolution.ts';
export {
  compatibilities,
  type Compatibility,
  incompatibilities,
  obstacles,
  type SchemaDocument,
} from './schema/compatibility.ts';
export { type RegisteredSchema, SqlSchemaRegistry } from './schema/sql-schema-registry.ts';

export { type Handled, type HandleOptions, handle, type Loaded, load } from './aggregate/aggregate.ts';
export { type Decider, evolved, type SnapshotRule } from './aggregate/decider.ts';
export {
  type EventCipher,
  EventStore,
  type EventStoreOptions,
  type ReadAllOptions,
  type ReadOptions,
} from './event-store.ts';
export type { Appended, ExpectedVersion, NewEvent, StoredEvent } from './events/event.ts';
export { type Projection, type ProjectionOptions, RunningProjection } from './projection/projection.ts';
export type { Upcasts } from './read/upcasts.ts';
export { dropParked, type ParkedEvent, parkedEvents, retryParked } from './subscription/parked-events.ts';
export {
  type EventHandler,
  EventSubscription,
  type EventSubscriptionOptions,
} from './subscription/subscription.ts';
export {
  type KnownSubscription,
  knownSubscriptions,
  rebuildProjection,
  rewindSubscription,
} from './subscription/known-subscriptions.ts';

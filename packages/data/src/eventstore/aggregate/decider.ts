import type { NewEvent, StoredEvent } from '../events/event.ts';

/**
 * An aggregate as three pure values: what it is before anything has happened, what a command leads to, and what an event
 * makes of it. Source: J. Chassaing, "Functional Event Sourcing Decider", 2021.
 */
export interface Decider<State, Command, Event extends NewEvent> {
  readonly initial: State;
  /** The events that a command leads to in this state; none if nothing is to happen. Throws to refuse. */
  decide(command: Command, state: State): readonly Event[];
  evolve(state: State, event: Event): State;
  /** Default: no snapshots. */
  readonly snapshot?: SnapshotRule;
}

/** When the state is kept, so that not all events have to be read again. */
export interface SnapshotRule {
  /** Events between two snapshots. */
  readonly every: number;
  /** Names the shape of the state: a snapshot with another name is not used, and made anew. */
  readonly schema: string;
}

/** The state that events lead to. */
export function evolved<State, Event extends NewEvent>(
  decider: Pick<Decider<State, never, Event>, 'initial' | 'evolve'>,
  events: readonly (Event | StoredEvent)[],
  from: State = decider.initial,
): State {
  // What is stored has been written by `decide`, and upcast to the shape of today.
  return events.reduce<State>((state, event) => decider.evolve(state, event as Event), from);
}

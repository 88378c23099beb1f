import { HeddleError } from '@heddle/kernel';
import type { Sql } from '@heddle/sql';
import type { EventStore } from '../event-store.ts';
import type { NewEvent, StoredEvent } from '../events/event.ts';
import { type Decider, evolved } from './decider.ts';

/** An aggregate as it is now. */
export interface Loaded<State> {
  readonly state: State;
  /** Of its stream; 0 if nothing has happened yet. */
  readonly version: number;
}

/** What a command came to. */
export interface Handled<State, Event> extends Loaded<State> {
  /** What has happened by it; none if nothing was to. */
  readonly events: readonly Event[];
}

/** How to handle a command. */
export interface HandleOptions {
  /** How often to decide in all, when others append meanwhile. Default 5. */
  readonly attempts?: number;
  /** Goes with each event. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const page = 1000;

/** Reads an aggregate: from its snapshot, if there is one of this shape, and the events behind it. */
export async function load<State, Command, Event extends NewEvent>(
  store: EventStore,
  decider: Decider<State, Command, Event>,
  stream: string,
): Promise<Loaded<State>> {
  let { state, version } = await startOf(store, decider, stream);
  for (;;) {
    const events: readonly StoredEvent[] = await store.read(stream, { from: version + 1, limit: page });
    state = evolved(decider, events, state);
    version = events.at(-1)?.version ?? version;
    if (events.length < page) return { state, version };
  }
}

/**
 * Decides on a command and appends what follows. If somebody else appended meanwhile, it is decided anew on what is now;
 * `aborted` / `VERSION_CONFLICT` when that has happened `attempts` times. What `decide` throws is thrown on.
 */
export async function handle<State, Command, Event extends NewEvent>(
  store: EventStore,
  decider: Decider<State, Command, Event>,
  stream: string,
  command: Command,
  options: HandleOptions = {},
): Promise<Handled<State, Event>> {
  const { attempts = 5, metadata } = options;
  for (let attempt = 1; ; attempt += 1) {
    const { state, version } = await load(store, decider, stream);
    const events = decider.decide(command, state);
    if (events.length === 0) return { state, version, events };
    try {
      const given = metadata === undefined ? events : events.map((event) => ({ metadata, ...event }));
      const appended = await store.append(stream, given, version === 0 ? 'noStream' : version);
      const after = { state: evolved(decider, events, state), version: appended.version, events };
      await keepSnapshot(store, decider, stream, version, after);
      return after;
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (!error.is('aborted', 'VERSION_CONFLICT') || attempt >= attempts) throw error;
    }
  }
}

async function startOf<State, Command, Event extends NewEvent>(
  store: EventStore,
  { snapshot, initial }: Decider<State, Command, Event>,
  stream: string,
): Promise<Loaded<State>> {
  if (snapshot === undefined) return { state: initial, version: 0 };
  const [row] = await store.pool.query<{ state: State; version: number }>(
    'SELECT state, version FROM heddle_event_snapshots WHERE stream = $1 AND schema = $2',
    [stream, snapshot.schema],
  );
  return row ?? { state: initial, version: 0 };
}

/** A snapshot is a copy: if it cannot be kept, nothing is lost but time. */
async function keepSnapshot<State, Command, Event extends NewEvent>(
  store: EventStore,
  { snapshot }: Decider<State, Command, Event>,
  stream: string,
  before: number,
  { state, version }: Loaded<State>,
): Promise<void> {
  if (snapshot === undefined) return;
  if (Math.floor(before / snapshot.every) === Math.floor(version / snapshot.every)) return;
  try {
    await saveSnapshot(store.pool, stream, snapshot.schema, version, state);
  } catch (thrown) {
    const error = HeddleError.from(thrown).message;
    store.runtime.log('warn', 'a snapshot could not be kept', { stream, version, error });
  }
}

async function saveSnapshot(
  sql: Sql,
  stream: string,
  schema: string,
  version: number,
  state: unknown,
): Promise<void> {
  await sql.execute(
    `INSERT INTO heddle_event_snapshots AS snapshot (stream, schema, version, state) VALUES ($1, $2, $3, $4)
       ON CONFLICT (stream) DO UPDATE
         SET schema = EXCLUDED.schema, version = EXCLUDED.version, state = EXCLUDED.state
         WHERE snapshot.schema <> EXCLUDED.schema OR snapshot.version < EXCLUDED.version`,
    [stream, schema, version, JSON.stringify(state)],
  );
}

import type { SqlPool } from '@heddle/sql';
import type { EventStore } from '../event-store.ts';
import type { StoredEvent } from '../events/event.ts';
import { type EventRow, eventColumns } from '../read/stored-event.ts';
import type { EventHandler } from './subscription.ts';
import { Call } from '@heddle/kernel';

/** An event that a subscription could not handle. */
export interface ParkedEvent {
  readonly event: StoredEvent;
  readonly error: string;
  readonly parkedAt: Date;
}

/** What a subscription has put aside, oldest first, 1000 at most. */
export async function parkedEvents(store: EventStore, subscription: string): Promise<readonly ParkedEvent[]> {
  const rows = await store.pool.query<EventRow & { error: string; parked_at: Date }>(
    `SELECT ${eventColumns}, error, parked_at FROM heddle_event_parked JOIN heddle_events USING (position)
       WHERE subscription = $1 ORDER BY position LIMIT 1000`,
    [subscription],
  );
  const events = await store.opened(rows.map(({ error: _error, parked_at: _at, ...row }) => row));
  return rows.map((row, at) => ({
    event: events[at] as StoredEvent,
    error: row.error,
    parkedAt: row.parked_at,
  }));
}

/** Handles a parked event now, and takes it off the list in the same transaction. Rejects as the handler does. */
export async function retryParked(
  store: EventStore,
  subscription: string,
  position: number,
  handler: EventHandler,
): Promise<void> {
  await store.pool.transaction(async (sql) => {
    const rows = await sql.query<EventRow>(
      `SELECT ${eventColumns} FROM heddle_event_parked JOIN heddle_events USING (position)
         WHERE subscription = $1 AND position = $2 FOR UPDATE OF heddle_event_parked`,
      [subscription, position],
    );
    if (rows.length === 0) return;
    const call = Call.root(store.runtime);
    await handler(await store.opened(rows), sql, call);
    await dropParkedIn(sql, subscription, position);
    call.end();
  });
}

/** Takes a parked event off the list, unhandled. False if it is not on it. */
export function dropParked(pool: SqlPool, subscription: string, position: number): Promise<boolean> {
  return dropParkedIn(pool, subscription, position);
}

async function dropParkedIn(
  sql: Pick<SqlPool, 'execute'>,
  subscription: string,
  position: number,
): Promise<boolean> {
  const count = await sql.execute(
    'DELETE FROM heddle_event_parked WHERE subscription = $1 AND position = $2',
    [subscription, position],
  );
  return count > 0;
}

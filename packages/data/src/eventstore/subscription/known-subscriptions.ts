import { HeddleError } from '@heddle/kernel';
import type { SqlPool } from '@heddle/sql';

/** How far a subscription is. */
export interface KnownSubscription {
  readonly name: string;
  readonly slices: number;
  /** The position up to which all its slices are done. */
  readonly position: number;
  /** Positions between there and the end of the store; not each has an event that it wants. */
  readonly behind: number;
  /** Events that it has put aside. */
  readonly parked: number;
}

interface Row {
  readonly name: string;
  readonly slices: number;
  readonly position: number;
  readonly behind: number;
  readonly parked: number;
}

/** The subscriptions that a store knows, projections among them, by name. */
export async function knownSubscriptions(pool: SqlPool): Promise<readonly KnownSubscription[]> {
  return pool.query<Row>(
    `SELECT subscription AS name, count(*)::integer AS slices, min(position) AS position,
         (SELECT next - 1 FROM heddle_event_log) - min(position) AS behind,
         (SELECT count(*)::integer FROM heddle_event_parked AS parked WHERE parked.subscription = known.subscription) AS parked
       FROM heddle_event_checkpoints AS known GROUP BY subscription ORDER BY subscription COLLATE "C"`,
  );
}

/**
 * Has a subscription begin again behind this position: its handler sees all events from there once more. What it has
 * parked there is taken off its list. Waits for the batch at hand. `not_found` / `NO_SUBSCRIPTION` if there is none.
 */
export async function rewindSubscription(pool: SqlPool, name: string, position: number): Promise<void> {
  await rewindIn(pool, name, position, '');
}

/**
 * Has a projection built again from the first event on, in the table that it has: that is emptied in the same
 * transaction. Readers see it fill again; to have them read on meanwhile, raise the version in the program instead.
 */
export async function rebuildProjection(pool: SqlPool, projection: string): Promise<void> {
  const newest = (await knownSubscriptions(pool))
    .map(({ name }) => /^projection (.+)_v(\d+)$/.exec(name))
    .filter((match) => match?.[1] === projection)
    .toSorted((a, b) => Number(b?.[2]) - Number(a?.[2]))[0];
  if (newest?.[2] === undefined) throw noSubscription(`projection ${projection}`);
  const table = `${projection}_v${newest[2]}`;
  await rewindIn(pool, `projection ${table}`, 0, `DELETE FROM "${table}"`);
}

async function rewindIn(pool: SqlPool, name: string, position: number, also: string): Promise<void> {
  await pool.transaction(async (sql) => {
    // Whoever works on a slice holds its row: after this, nobody does.
    const rows = await sql.query(
      'SELECT slice FROM heddle_event_checkpoints WHERE subscription = $1 ORDER BY slice FOR UPDATE',
      [name],
    );
    if (rows.length === 0) throw noSubscription(name);
    await sql.execute(
      'UPDATE heddle_event_checkpoints SET position = least(position, $2) WHERE subscription = $1',
      [name, position],
    );
    await sql.execute('DELETE FROM heddle_event_parked WHERE subscription = $1 AND position > $2', [
      name,
      position,
    ]);
    if (also !== '') await sql.execute(also);
  });
}

function noSubscription(name: string): HeddleError {
  const message = `the store knows no ${name.startsWith('projection ') ? '' : 'subscription '}${name}; \`heddle events subscriptions\` lists those it knows`;
  return new HeddleError({ code: 'not_found', reason: 'NO_SUBSCRIPTION', message, sent: false });
}

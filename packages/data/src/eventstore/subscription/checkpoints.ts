import { HeddleError } from '@heddle/kernel';
import type { Sql, SqlPool } from '@heddle/sql';
import { type EventRow, eventColumns } from '../read/stored-event.ts';

/** How far a subscription is on one slice. */
export interface Checkpoint {
  readonly subscription: string;
  readonly slice: number;
  readonly position: number;
}

/** Makes the checkpoints of a subscription that is new. `SLICES_DIFFER` if it is known with another number. */
export async function makeCheckpoints(
  pool: SqlPool,
  subscription: string,
  slices: number,
  from: 'beginning' | 'end',
): Promise<void> {
  await pool.transaction(async (sql) => {
    // Also the lock that lets one process at a time do this.
    const [log] = await sql.query<{ next: number }>('SELECT next FROM heddle_event_log FOR UPDATE');
    const known = await sql.query<Checkpoint>(
      'SELECT slice FROM heddle_event_checkpoints WHERE subscription = $1',
      [subscription],
    );
    if (known.length > 0 && known.length !== slices) throw slicesDiffer(subscription, known.length, slices);
    if (known.length > 0) return;
    await sql.execute(
      `INSERT INTO heddle_event_checkpoints (subscription, slice, position)
         SELECT $1, generate_series(0, $2 - 1), $3`,
      [subscription, slices, from === 'end' ? (log?.next ?? 1) - 1 : 0],
    );
  });
}

/** Takes the checkpoint for the rest of the transaction; undefined if somebody else has it. */
export async function lockCheckpoint(
  sql: Sql,
  subscription: string,
  slice: number,
): Promise<Checkpoint | undefined> {
  const [checkpoint] = await sql.query<Checkpoint>(
    `SELECT subscription, slice, position FROM heddle_event_checkpoints
       WHERE subscription = $1 AND slice = $2 FOR UPDATE SKIP LOCKED`,
    [subscription, slice],
  );
  return checkpoint;
}

/** Moves it. */
export async function saveCheckpoint(sql: Sql, { subscription, slice, position }: Checkpoint): Promise<void> {
  await sql.execute(
    'UPDATE heddle_event_checkpoints SET position = $3 WHERE subscription = $1 AND slice = $2',
    [subscription, slice, position],
  );
}

/** What comes next in a slice: streams go to slices by a hash that is the same for ever. */
export async function readSlice(
  sql: Sql,
  { slice, position }: Checkpoint,
  slices: number,
  types: readonly string[] | undefined,
  most: number,
): Promise<readonly EventRow[]> {
  const ofSlice = slices === 1 ? '' : `AND abs(hashtextextended(stream, 0) % ${slices}) = ${slice}`;
  return sql.query<EventRow>(
    `SELECT ${eventColumns} FROM heddle_events WHERE position > $1 ${ofSlice}
       ${types === undefined ? '' : 'AND type = ANY ($3::text[])'} ORDER BY position LIMIT $2`,
    types === undefined ? [position, most] : [position, most, types],
  );
}

/** Puts an event aside. */
export async function park(sql: Sql, subscription: string, position: number, error: string): Promise<void> {
  await sql.execute(
    `INSERT INTO heddle_event_parked (subscription, position, error) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [subscription, position, error.replaceAll('\0', '')],
  );
}

function slicesDiffer(subscription: string, known: number, wanted: number): HeddleError {
  const message = `subscription ${subscription} has ${known} slices, not ${wanted}; give another name to begin anew`;
  return new HeddleError({ code: 'failed_precondition', reason: 'SLICES_DIFFER', message, sent: false });
}

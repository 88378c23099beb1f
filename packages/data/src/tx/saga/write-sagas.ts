import { prepared, type Sql, type SqlValue } from '@heddle/sql';
import type { SagaChange, SagasWritten } from './saga-keeper.ts';

// One saga alone is the most frequent write of all, and its plan is always the same: by its key.
const beginOne = prepared(`
  INSERT INTO heddle_sagas (id, name, version, status, input, state, correlation_id, worker, due_ms)
    VALUES ($1, $2, $3, $4, $5::json, $6::json, $7, CASE WHEN $8::boolean THEN $10 END, $9)
    ON CONFLICT (id) DO NOTHING RETURNING id`);

const saveOne = prepared(`
  UPDATE heddle_sagas SET status = $3, state = $4::json, due_ms = $6,
      worker = CASE WHEN $5::boolean THEN worker END, changed_at = now()
    WHERE id = $1 AND epoch = $2 RETURNING id`);

const writeAll = prepared(`
  SELECT stored AS id, is_new FROM heddle_write_sagas(
    $1, $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[], $10::bigint[],
    $11::text[], $12::bigint[], $13::text[], $14::text[], $15::boolean[], $16::bigint[], $17::bigint[])`);

/**
 * Stores beginnings and changes in one commit: a saga that is known already is not begun, one that
 * another process has taken over is not changed, and the messages that a change has taken in are marked with it.
 */
export async function writeSagas(
  sql: Sql,
  worker: string,
  begins: readonly SagaChange[],
  saves: readonly SagaChange[],
): Promise<SagasWritten> {
  const numbers = saves.flatMap((change) => change.taken);
  const [begin, save] = [begins[0], saves[0]];
  if (begin !== undefined && begins.length + saves.length === 1)
    return { begun: await ids(sql, beginOne, [...beginValues(begin), worker]), saved: none };
  if (save !== undefined && begins.length + saves.length === 1 && numbers.length === 0)
    return { begun: none, saved: await ids(sql, saveOne, saveValues(save)) };
  const values = [
    worker,
    ...turned(begins.map(beginValues), 9),
    ...turned(saves.map(saveValues), 6),
    numbers,
  ];
  const rows = await sql.query<{ id: string; is_new: boolean }>(writeAll, values);
  return {
    begun: new Set(rows.filter((row) => row.is_new).map(({ id }) => id)),
    saved: new Set(rows.filter((row) => !row.is_new).map(({ id }) => id)),
  };
}

const none: ReadonlySet<string> = new Set();

async function ids(sql: Sql, text: string, values: readonly SqlValue[]): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ id: string }>(text, values);
  return new Set(rows.map(({ id }) => id));
}

function beginValues({ row, dueMs, kept }: SagaChange): readonly SqlValue[] {
  const { id, name, version, input, state, correlationId } = row;
  const texts = [JSON.stringify(input ?? null), JSON.stringify(state)];
  return [id, name, version, state.status, ...texts, correlationId, kept, dueMs ?? null];
}

function saveValues({ row, dueMs, kept }: SagaChange): readonly SqlValue[] {
  return [row.id, row.epoch, row.state.status, JSON.stringify(row.state), kept, dueMs ?? null];
}

/** Rows as columns: one array for each parameter. */
function turned(rows: readonly (readonly SqlValue[])[], width: number): SqlValue[][] {
  return Array.from({ length: width }, (_, at) => rows.map((row) => row[at] ?? null));
}

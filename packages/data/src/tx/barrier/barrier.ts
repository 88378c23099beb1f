import { type Migration, migrate, type Sql, type SqlPool } from '@heddle/sql';

/** What a branch is told. Each backward one has the forward one that it undoes. */
export type BarrierOp = 'try' | 'confirm' | 'cancel' | 'run' | 'undo' | 'prepare' | 'abort' | 'local' | 'ask';

/** One instruction to one branch of one transaction, however often it comes. */
export interface BarrierMark {
  /** Of the transaction: a saga's id, a TCC's … */
  readonly tx: string;
  readonly branch: string;
  readonly op: BarrierOp;
}

/**
 * What came of it. Not carried out: `repeated`, it was before; `empty`, there is nothing to undo, since the forward
 * instruction never arrived; `late`, it was undone before it arrived, and must not be carried out any more.
 */
export type Passed<Value> =
  | { readonly done: true; readonly value: Value }
  | { readonly done: false; readonly why: 'repeated' | 'empty' | 'late' };

/** What goes backward, and what it undoes. */
export const origins: Partial<Record<BarrierOp, BarrierOp>> = {
  cancel: 'try',
  undo: 'run',
  abort: 'prepare',
  ask: 'local',
};

const migrations: readonly Migration[] = [
  {
    id: '0001-barrier',
    sql: `
      CREATE TABLE heddle_barrier (
        tx text COLLATE "C" NOT NULL,
        branch text COLLATE "C" NOT NULL,
        op text NOT NULL,
        by text NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tx, branch, op)
      );
      CREATE INDEX heddle_barrier_at ON heddle_barrier USING brin (at);`,
  },
];

/** Makes the table, in the database of the branch. */
export async function prepareBarrier(pool: SqlPool): Promise<void> {
  await migrate(pool, 'heddle_barrier', migrations);
}

/**
 * Carries `work` out at most once for a mark, as part of the transaction `sql`: the row that remembers it commits with
 * it. Undoing writes the row of what it undoes first, so a forward instruction that comes late finds it taken; one that
 * is under way is waited for, since both insert the same key.
 * Source: F. Ye, "DTM: sub-transaction barrier", 2021; the anomalies are those of P. Helland's "Life beyond Distributed
 * Transactions", CIDR 2007.
 */
export async function passBarrier<Value>(
  sql: Sql,
  mark: BarrierMark,
  work: () => Promise<Value>,
): Promise<Passed<Value>> {
  const { tx, branch, op } = mark;
  const origin = origins[op];
  if (origin !== undefined) {
    const empty = await insert(sql, tx, branch, origin, op);
    const first = await insert(sql, tx, branch, op, op);
    if (!first) return { done: false, why: 'repeated' };
    if (empty) return { done: false, why: 'empty' };
    return { done: true, value: await work() };
  }
  if (await insert(sql, tx, branch, op, op)) return { done: true, value: await work() };
  const [found] = await sql.query<{ by: string }>(
    'SELECT by FROM heddle_barrier WHERE tx = $1 AND branch = $2 AND op = $3',
    [tx, branch, op],
  );
  return { done: false, why: found?.by === op ? 'repeated' : 'late' };
}

async function insert(sql: Sql, tx: string, branch: string, op: string, by: string): Promise<boolean> {
  const text =
    'INSERT INTO heddle_barrier (tx, branch, op, by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING';
  return (await sql.execute(text, [tx, branch, op, by])) === 1;
}

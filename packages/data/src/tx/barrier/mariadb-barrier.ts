import { HeddleError } from '@heddle/kernel';
import type { MariadbConnection, MariadbPool } from '../mariadb/connection.ts';
import { mariadbError } from '../mariadb/mariadb-error.ts';
import { type BarrierMark, origins, type Passed } from './barrier.ts';

const mostLetters = 255;

/** Makes the table of the barrier in a MariaDB (10.5 and later) or MySQL (8 and later) database. */
export async function prepareMariadbBarrier<C extends MariadbConnection>(
  pool: MariadbPool<C>,
): Promise<void> {
  const connection = await pool.getConnection();
  try {
    await connection.query(
      `CREATE TABLE IF NOT EXISTS heddle_barrier (
         tx varchar(${mostLetters}) NOT NULL,
         branch varchar(${mostLetters}) NOT NULL,
         op varchar(16) NOT NULL,
         done_by varchar(16) NOT NULL,
         done_at timestamp NOT NULL DEFAULT current_timestamp,
         PRIMARY KEY (tx, branch, op)
       ) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
    );
  } catch (thrown) {
    throw mariadbError('barrier', thrown);
  } finally {
    connection.release();
  }
}

/** Runs `work` in a transaction of a connection of its own: commits when it resolves, rolls back when it rejects. */
export async function mariadbTransaction<C extends MariadbConnection, T>(
  pool: MariadbPool<C>,
  work: (connection: C) => Promise<T>,
): Promise<T> {
  const connection = await pool.getConnection().catch((thrown: unknown) => {
    throw mariadbError('transaction', thrown).with({ sent: false });
  });
  try {
    await connection.query('START TRANSACTION');
    const value = await work(connection);
    await connection.query('COMMIT');
    connection.release();
    return value;
  } catch (thrown) {
    // Without a session, what is not committed is rolled back.
    connection.destroy();
    throw mariadbError('transaction', thrown);
  }
}

/** As `passBarrier`, in the transaction that `connection` is in. Ids of more than 255 letters are refused. */
export async function passMariadbBarrier<C extends MariadbConnection, Value>(
  connection: C,
  mark: BarrierMark,
  work: (connection: C) => Promise<Value>,
): Promise<Passed<Value>> {
  const { tx, branch, op } = mark;
  // INSERT IGNORE would shorten them, and take two for one.
  for (const [field, text] of Object.entries({ tx, branch }))
    if (text.length > mostLetters) throw tooLong(field, text.length);
  const origin = origins[op];
  if (origin !== undefined) {
    const empty = await insert(connection, mark, origin);
    if (!(await insert(connection, mark, op))) return { done: false, why: 'repeated' };
    if (empty) return { done: false, why: 'empty' };
    return { done: true, value: await work(connection) };
  }
  if (await insert(connection, mark, op)) return { done: true, value: await work(connection) };
  // With a lock: the snapshot of the transaction may be older than the row.
  const found = await connection.query(
    'SELECT done_by FROM heddle_barrier WHERE tx = ? AND branch = ? AND op = ? LOCK IN SHARE MODE',
    [tx, branch, op],
  );
  const [row] = rowsOf<{ readonly done_by: string }>(found);
  return { done: false, why: row?.done_by === op ? 'repeated' : 'late' };
}

/** True: the row is ours. One that another transaction has inserted and not committed is waited for. */
async function insert(
  connection: MariadbConnection,
  { tx, branch, op: by }: BarrierMark,
  op: string,
): Promise<boolean> {
  const answer = await connection.query(
    'INSERT IGNORE INTO heddle_barrier (tx, branch, op, done_by) VALUES (?, ?, ?, ?)',
    [tx, branch, op, by],
  );
  return Number(headOf(answer)['affectedRows']) === 1;
}

/** mysql2 gives what it was and its description, mariadb only what it was. */
function headOf(answer: unknown): Readonly<Record<string, unknown>> {
  return (Array.isArray(answer) ? answer[0] : answer) as Readonly<Record<string, unknown>>;
}

function rowsOf<Row>(answer: unknown): readonly Row[] {
  const rows = answer as readonly unknown[];
  return (Array.isArray(rows[0]) ? rows[0] : rows) as readonly Row[];
}

function tooLong(field: string, length: number): HeddleError {
  const message = `${field}: expected ${mostLetters} letters at most, found ${length}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_MARK', message, sent: false });
}

// Durable writes of a process, counted, and the place where it is killed.
import type { Sql, SqlPool } from '@heddle/sql';
import type { MariadbConnection, MariadbPool } from '@heddle/data/twophase';

/** Kills the process at its n-th durable write: just before it, or when the database has confirmed it. */
export interface KillPoint {
  readonly at: number;
  readonly when: 'before' | 'after';
}

/** Counts what a process writes durably, tells its starter about each, and ends the process where it is told to. */
export class DurableWrites {
  readonly #point: KillPoint | undefined;
  #count = 0;

  constructor(point: KillPoint | undefined) {
    this.#point = point;
  }

  /** One durable write. Background writes (leases, looks) are not counted: `what` says which they are. */
  async write<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#count += 1;
    const mine = this.#count;
    this.#dieIf(mine, 'before');
    const value = await work();
    // In one turn with what the process learns from the answer: nobody has heard of it before the kill.
    process.stdout.write(`WRITE ${mine} ${what}\n`);
    this.#dieIf(mine, 'after');
    return value;
  }

  #dieIf(count: number, when: KillPoint['when']): void {
    if (this.#point?.at === count && this.#point.when === when) process.kill(process.pid, 'SIGKILL');
  }
}

const writing =
  /heddle_write_sagas|^\s*(?:WITH[\s\S]*?(?:INSERT|UPDATE|DELETE)|INSERT|UPDATE|DELETE|COMMIT PREPARED|ROLLBACK PREPARED)/i;
// A process renews its lease and looks for work by the clock: counting that would make the count a matter of luck.
const background =
  /heddle_saga_workers|heddle_tx_workers|SET worker = \$1|pg_notify|heddle_migrations|done_at|heddle_groups|heddle_members/;

/** The pool, with its durable writes counted. */
export function countedPool(pool: SqlPool, writes: DurableWrites): SqlPool {
  const counted = <T>(text: string, run: () => Promise<T>): Promise<T> =>
    writing.test(text) && !background.test(text) ? writes.write(nameOf(text), run) : run();
  return {
    name: pool.name,
    get load() {
      return pool.load;
    },
    start: () => pool.start?.() ?? Promise.resolve(),
    stop: () => pool.stop?.() ?? Promise.resolve(),
    query: (text, values) => counted(text, () => pool.query(text, values)),
    execute: (text, values) => counted(text, () => pool.execute(text, values)),
    transaction: (work, options) => transaction(pool, writes, work, options),
  };
}

/** A commit is one write; `before` is when all its statements have run. */
async function transaction<T>(
  pool: SqlPool,
  writes: DurableWrites,
  work: (sql: Sql) => Promise<T>,
  options: Parameters<SqlPool['transaction']>[1],
): Promise<T> {
  let counts = false;
  let confirm: () => void = () => {};
  let refuse: (error: unknown) => void = () => {};
  let confirmed: Promise<void> | undefined;
  const observe = (sql: Sql): Sql => ({
    query: (text, values) => {
      counts ||= writing.test(text) && !background.test(text);
      return sql.query(text, values);
    },
    execute: (text, values) => {
      if (text.includes('PREPARE TRANSACTION'))
        return writes.write('PREPARE', () => sql.execute(text, values));
      counts ||= writing.test(text) && !background.test(text);
      return sql.execute(text, values);
    },
  });
  try {
    const value = await pool.transaction(async (sql) => {
      const result = await work(observe(sql));
      if (counts) {
        const committed = new Promise<void>((resolve, reject) => {
          confirm = resolve;
          refuse = reject;
        });
        confirmed = writes.write('COMMIT', () => committed);
        confirmed.catch(() => {});
      }
      return result;
    }, options);
    confirm();
    await confirmed;
    return value;
  } catch (thrown) {
    refuse(thrown);
    throw thrown;
  }
}

/** The pool of a MariaDB, with its XA statements counted. */
export function countedMariadb<C extends MariadbConnection>(
  pool: MariadbPool<C>,
  writes: DurableWrites,
): MariadbPool<MariadbConnection> {
  return {
    getConnection: async () => {
      const connection = await pool.getConnection();
      const query = (sql: string): Promise<unknown> =>
        /^XA (PREPARE|COMMIT|ROLLBACK)/.test(sql)
          ? writes.write(sql.split(' ').slice(0, 2).join(' '), () => connection.query(sql))
          : connection.query(sql);
      return { query, release: () => connection.release(), destroy: () => connection.destroy() };
    },
  };
}

function nameOf(text: string): string {
  const table = /heddle_[a-z_]+|account/.exec(text)?.[0] ?? '';
  return `${/INSERT|UPDATE|DELETE|COMMIT|ROLLBACK/i.exec(text)?.[0] ?? ''} ${table}`;
}

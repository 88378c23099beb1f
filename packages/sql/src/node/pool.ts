import { type Ambient, HeddleError, type Runtime, sleep } from '@heddle/kernel';
import { asyncContext } from '@heddle/kernel/node';
import pg from 'pg';
import type { Sql, SqlPool, SqlPoolLoad, SqlValue, TransactionOptions } from '../sql.ts';
import { statementName } from '../prepared.ts';
import { inStatementSpan, statementTitle } from '../statement-span.ts';
import { isConnectionBroken, type SqlPhase, sqlError } from '../sql-error.ts';

/** What a pool may be told. Durations in milliseconds. */
export interface SqlPoolOptions {
  readonly runtime: Runtime;
  /** For the server's list of sessions and for messages. Default `heddle`. */
  readonly name?: string;
  /** Default 10. */
  readonly maxConnections?: number;
  /** How long a caller may wait for a connection; then `POOL_EXHAUSTED`. Default 5000. */
  readonly acquireTimeoutMs?: number;
  /** How long one statement may run on the server; then `STATEMENT_TIMEOUT`. Default 10000. */
  readonly statementTimeoutMs?: number;
  /** How long a connection may do nothing before it is closed. Default 30000. */
  readonly idleMs?: number;
  /** Knows the call that encloses a statement, whose trace it then belongs to. Default: `asyncContext`. Spans are off with the call's runtime's `spans`. */
  readonly ambient?: Ambient;
  /** Hears of each statement that has ended. Must not throw. Default: nobody does. */
  readonly onStatement?: (statement: EndedStatement) => void;
}

/** A statement that was done, or was not. */
export interface EndedStatement {
  /** `INSERT orders`: few values. */
  readonly title: string;
  readonly durationMs: number;
  readonly error: HeddleError | undefined;
}

// Between two attempts of a transaction: a random share of this, doubled each time.
const shortestPauseMs = 5;
const longestPauseMs = 250;
// The server's own timeout answers first; this one is for a server that no longer answers at all.
const silenceMs = 2000;

/** Connections to the PostgreSQL at `url`, made when needed. The url's database is the only one it reaches. */
export function sqlPool(url: string, options: SqlPoolOptions): SqlPool {
  return new PgPool(url, options);
}

class PgPool implements SqlPool {
  readonly name: string;
  readonly #what: string;
  readonly #pool: pg.Pool;
  readonly #statementTimeoutMs: number;
  readonly #watch: Watch;
  #stopped: Promise<void> | undefined;

  constructor(url: string, options: SqlPoolOptions) {
    const { runtime, name = 'heddle', maxConnections = 10, acquireTimeoutMs = 5000 } = options;
    const { statementTimeoutMs = 10_000, idleMs = 30_000 } = options;
    this.name = `database pool of ${name}`;
    this.#what = describe(url);
    this.#statementTimeoutMs = statementTimeoutMs;
    const ambient = options.ambient ?? asyncContext;
    ambient.ask?.();
    this.#watch = { runtime, ambient, onStatement: options.onStatement };
    this.#pool = new pg.Pool({
      connectionString: url,
      application_name: name,
      max: maxConnections,
      connectionTimeoutMillis: acquireTimeoutMs,
      idleTimeoutMillis: idleMs,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: 60_000,
      keepAlive: true,
      types: { getTypeParser },
    });
    // A connection may break at any moment, also before whoever asked for it has it: that shows in its next statement.
    this.#pool.on('connect', (client) => client.on('error', ignore));
    // An idle connection that breaks leaves the pool by itself; nobody was waiting for it.
    this.#pool.on('error', (error) => {
      runtime.log('debug', 'an idle database connection broke', { pool: name, error: error.message });
    });
  }

  get load(): SqlPoolLoad {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { open: totalCount, idle: idleCount, waiting: waitingCount };
  }

  async start(): Promise<void> {
    await this.query('SELECT 1');
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#pool.end();
    return this.#stopped;
  }

  query<Row extends object>(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.#withConnection((connection) => connection.query<Row>(text, values));
  }

  execute(text: string, values?: readonly SqlValue[]): Promise<number> {
    return this.#withConnection((connection) => connection.execute(text, values));
  }

  async transaction<T>(work: (sql: Sql) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const { attempts = 1 } = options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#withConnection((connection) => inTransaction(connection, options, work));
      } catch (thrown) {
        const error = HeddleError.from(thrown);
        const undone = error.is('aborted', 'SERIALIZATION_FAILURE') || error.is('aborted', 'DEADLOCK');
        if (!undone || attempt >= attempts) throw thrown;
        // At once, two that have undone each other would often do so again.
        const { random, timers } = this.#watch.runtime;
        await sleep(timers, random.float() * Math.min(longestPauseMs, shortestPauseMs * 2 ** attempt));
      }
    }
  }

  async #withConnection<T>(work: (connection: PgConnection) => Promise<T>): Promise<T> {
    if (this.#stopped !== undefined) throw poolStopped(this.#what);
    const client = await this.#acquire();
    const connection = new PgConnection(client, this.#what, this.#statementTimeoutMs, this.#watch);
    try {
      return await work(connection);
    } finally {
      client.release(connection.broken);
    }
  }

  async #acquire(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (thrown) {
      throw sqlError(thrown, 'connect', this.#what);
    }
  }
}

/** Who is told of statements. */
interface Watch {
  readonly runtime: Runtime;
  readonly ambient: Ambient;
  readonly onStatement: SqlPoolOptions['onStatement'] | undefined;
}

/** One connection, while somebody has it. */
class PgConnection implements Sql {
  readonly #client: pg.PoolClient;
  readonly #what: string;
  readonly #watch: Watch;
  #statementTimeoutMs: number;
  #broken = false;

  constructor(client: pg.PoolClient, what: string, statementTimeoutMs: number, watch: Watch) {
    this.#watch = watch;
    this.#client = client;
    this.#what = what;
    this.#statementTimeoutMs = statementTimeoutMs;
  }

  /** True once it must not go back into the pool. */
  get broken(): boolean {
    return this.#broken;
  }

  async query<Row extends object>(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]> {
    return (await this.run<Row>('statement', text, values)).rows;
  }

  async execute(text: string, values?: readonly SqlValue[]): Promise<number> {
    // Several statements in one text give several results, which the driver's types do not say.
    const result: pg.QueryResult | pg.QueryResult[] = await this.run('statement', text, values);
    const results = Array.isArray(result) ? result : [result];
    return results.reduce((sum, each) => sum + (each.rowCount ?? 0), 0);
  }

  run<Row extends object>(
    phase: SqlPhase,
    text: string,
    values?: readonly SqlValue[],
  ): Promise<pg.QueryResult<Row>> {
    const { ambient, onStatement } = this.#watch;
    const call = ambient.current();
    if (onStatement === undefined)
      return inStatementSpan(call, text, () => this.#run<Row>(phase, text, values));
    return inStatementSpan(call, text, () => this.#timed<Row>(phase, text, values));
  }

  async #timed<Row extends object>(
    phase: SqlPhase,
    text: string,
    values: readonly SqlValue[] | undefined,
  ): Promise<pg.QueryResult<Row>> {
    const { runtime, onStatement } = this.#watch;
    const startMs = runtime.clock.nowMs();
    const told = (error: HeddleError | undefined): void =>
      onStatement?.({ title: statementTitle(text), durationMs: runtime.clock.nowMs() - startMs, error });
    try {
      const result = await this.#run<Row>(phase, text, values);
      told(undefined);
      return result;
    } catch (thrown) {
      told(HeddleError.from(thrown));
      throw thrown;
    }
  }

  async #run<Row extends object>(
    phase: SqlPhase,
    text: string,
    values: readonly SqlValue[] | undefined,
  ): Promise<pg.QueryResult<Row>> {
    const given = values === undefined ? {} : { values: [...values] };
    const name = statementName(text);
    const statement = {
      text,
      ...given,
      ...(name !== undefined && { name }),
      query_timeout: this.#statementTimeoutMs + silenceMs,
    };
    try {
      return await this.#client.query<Row>(statement);
    } catch (thrown) {
      const error = sqlError(thrown, phase, this.#what);
      this.#broken ||= isConnectionBroken(error);
      throw error;
    }
  }

  /** Opens a transaction; a timeout of its own holds until that ends, for the server and for the wait here. */
  async begin({ isolation = 'read committed', statementTimeoutMs }: TransactionOptions): Promise<void> {
    await this.run('statement', `BEGIN ISOLATION LEVEL ${isolation}`);
    if (statementTimeoutMs === undefined) return;
    this.#statementTimeoutMs = statementTimeoutMs;
    await this.query("SELECT set_config('statement_timeout', $1, true)", [String(statementTimeoutMs)]);
  }

  /** Undoes what the transaction did. If even that fails, the server does it when the connection closes. */
  async rollback(): Promise<void> {
    if (this.#broken) return;
    try {
      await this.run('statement', 'ROLLBACK');
    } catch {
      this.#broken = true;
    }
  }
}

async function inTransaction<T>(
  connection: PgConnection,
  options: TransactionOptions,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  await connection.begin(options);
  let value: T;
  try {
    value = await work(connection);
  } catch (thrown) {
    await connection.rollback();
    throw thrown;
  }
  const { command } = await connection.run('commit', 'COMMIT');
  // A statement that failed and whose error `work` swallowed has doomed the transaction: the server says so only here.
  if (command === 'ROLLBACK') {
    const message = 'the transaction was rolled back at its commit, since one of its statements had failed';
    throw new HeddleError({ code: 'aborted', reason: 'TRANSACTION_DOOMED', message });
  }
  return value;
}

/** `user@host:port/database`, without the secret. */
function describe(url: string): string {
  try {
    const { username, host, pathname } = new URL(url);
    return `database ${username}@${host}${pathname}`;
  } catch {
    // Without the cause: it quotes the URL, and with it the secret.
    const message =
      'a database URL looks like postgres://user:secret@host:5432/name; the given one cannot be read';
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_DATABASE_URL', message, sent: false });
  }
}

function poolStopped(what: string): HeddleError {
  const message = `${what}: the pool has been stopped`;
  return new HeddleError({ code: 'unavailable', reason: 'POOL_STOPPED', message, sent: false });
}

function ignore(): void {}

const { INT8, DATE } = pg.types.builtins;

/** As `Sql` promises: whole numbers as numbers, dates as they are (the driver would move them to local midnight). */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === INT8) return safeInteger;
  if (oid === DATE) return (value) => value;
  return pg.types.getTypeParser(oid, format);
}

function safeInteger(value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  const message = `the number ${value} does not fit a JavaScript number; select it as text`;
  throw new HeddleError({ code: 'out_of_range', reason: 'NUMBER_TOO_LARGE', message });
}

// A bank of two accounts between which money travels by messages, and the processes that make it travel.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { inspect } from 'node:util';
import { sleep } from '@heddle/kernel';
import { broker, SqlInbox, SqlOutbox } from '@heddle/messaging';
import { postgresEngine } from '@heddle/messaging/postgres';
import { type SqlPool, sqlPool } from '@heddle/sql';
import { PostgresServer } from '../../contracts/messaging/postgres.ts';
import { quietRuntime } from '../../contracts/messaging/stage.ts';
import { endWithUs } from '../../engines/running.ts';
import { leaseMs, topic } from './program.ts';

/** Who is killed. The broker is the PostgreSQL server: with it go the outbox, the inbox and both accounts. */
export const victims = ['sender', 'relay', 'receiver', 'broker'] as const;
/** One of them. */
export type Victim = (typeof victims)[number];

/** What the books say when all has come to rest. */
export interface Books {
  readonly wished: number;
  readonly lost: number;
  readonly doubled: number;
  /** Of both accounts: what it was at the beginning, if nothing was lost or doubled. */
  readonly sum: number;
}

/** What both accounts have together at the beginning. */
export const total = 1_000_000;

const settleLimitMs = 90_000;

/** The bank with its processes. */
export class Bank {
  readonly #server = new PostgresServer();
  readonly #withInbox: boolean;
  readonly #processes = new Map<Victim, ChildProcess>();
  #url = '';
  #wished = 0;

  constructor(withInbox: boolean) {
    this.#withInbox = withInbox;
  }

  async start(): Promise<void> {
    await this.#server.start();
    this.#url = await this.#server.database();
    await this.#using(async (pool) => {
      await pool.execute('CREATE TABLE accounts (name text PRIMARY KEY, balance bigint NOT NULL)');
      await pool.execute(`INSERT INTO accounts VALUES ('from', ${total}), ('to', 0)`);
      await pool.execute('CREATE TABLE wishes (id text PRIMARY KEY, amount bigint NOT NULL)');
      await pool.execute('CREATE TABLE debits (id text NOT NULL, amount bigint NOT NULL)');
      await pool.execute('CREATE TABLE credits (id text NOT NULL, amount bigint NOT NULL)');
      await new SqlOutbox({ pool }).prepare();
      const records = new SqlInbox({ runtime: quietRuntime, pool });
      await records.start();
      await records.stop();
      const engine = await postgresEngine({ runtime: quietRuntime, pool, url: this.#url, leaseMs });
      const bus = broker(engine, { runtime: quietRuntime, source: 'proof' });
      await bus.createTopic(topic, { partitions: 4 });
      await bus.close();
    });
    await Promise.all(victims.map((victim) => this.#spawn(victim)));
  }

  /** So many transfers are to be made. */
  async wish(count: number): Promise<void> {
    await this.#using((pool) =>
      pool.execute(
        `INSERT INTO wishes SELECT 't' || number, 1 + number % 7 FROM generate_series($1::bigint, $2::bigint) AS number`,
        [this.#wished, this.#wished + count - 1],
      ),
    );
    this.#wished += count;
  }

  /** `kill -9`, and another one in its place. */
  async kill(victim: Victim): Promise<void> {
    if (victim === 'broker') {
      await this.#server.faults.kill?.();
      await this.#server.faults.restart?.();
      return;
    }
    const child = this.#processes.get(victim);
    if (child !== undefined && child.exitCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    await this.#spawn(victim);
  }

  /** Waits until nothing is on its way any more. Rejects if that takes too long: something was lost. */
  async settle(): Promise<Books> {
    return this.#using(async (pool) => {
      const giveUpAt = performance.now() + settleLimitMs;
      for (;;) {
        const books = await readBooks(pool).catch(() => undefined);
        if (books?.atRest === true && (books.lost === 0 || performance.now() > giveUpAt))
          return { ...books, wished: this.#wished };
        this.#checkAllLive();
        if (performance.now() > giveUpAt + 5000) {
          const state = await standstill(pool).catch(String);
          throw new Error(`the bank does not come to rest: ${state}`);
        }
        await sleep(quietRuntime.timers, 10);
      }
    });
  }

  async stop(): Promise<void> {
    for (const child of this.#processes.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    await this.#server.stop();
  }

  /** Who ends without being killed is a failure of its own, and not one of patience. */
  #checkAllLive(): void {
    for (const [victim, { exitCode, signalCode }] of this.#processes)
      if (exitCode !== null || signalCode !== null)
        throw new Error(`the ${victim} ended by itself: ${signalCode ?? `code ${exitCode}`}`);
  }

  async #spawn(victim: Victim): Promise<void> {
    if (victim === 'broker') return;
    const program = path.join(import.meta.dirname, 'program.ts');
    const mode = this.#withInbox ? 'with-inbox' : 'without-inbox';
    const args = ['--conditions=@heddle/source', program, victim, this.#url, mode];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    endWithUs(child);
    this.#processes.set(victim, child);
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    child.stdout.resume();
  }

  async #using<T>(work: (pool: SqlPool) => Promise<T>): Promise<T> {
    const pool = sqlPool(this.#url, { runtime: quietRuntime, maxConnections: 2 });
    try {
      return await work(pool);
    } finally {
      await pool.stop();
    }
  }
}

interface Row {
  readonly wishes: number;
  readonly outbox: number;
  readonly behind: number;
  readonly lost: number;
  readonly doubled: number;
  readonly sum: number;
}

/** One statement, so one moment. What is behind is what the group has not committed. */
async function readBooks(pool: SqlPool): Promise<Omit<Books, 'wished'> & { readonly atRest: boolean }> {
  const [row] = await pool.query<Row>(
    `SELECT (SELECT count(*) FROM wishes) AS wishes, (SELECT count(*) FROM heddle_outbox) AS outbox,
      (SELECT count(*) FROM heddle_topic_messages AS message WHERE topic = $1 AND position >= (
         SELECT next FROM heddle_group_positions AS passed
           WHERE passed.topic = $1 AND passed.name = 'bank' AND passed.partition = message.partition)) AS behind,
      (SELECT count(*) FROM debits WHERE id NOT IN (SELECT id FROM credits)) AS lost,
      (SELECT count(*) - count(DISTINCT id) FROM credits) AS doubled,
      (SELECT sum(balance)::bigint FROM accounts) AS sum`,
    [topic],
  );
  if (row === undefined) throw new Error('no row');
  const { wishes, outbox, behind, ...books } = row;
  return { ...books, atRest: wishes === 0 && outbox === 0 && behind === 0 };
}

/** Where it stands still: what waits where, who holds what, and what the server is at work on. */
async function standstill(pool: SqlPool): Promise<string> {
  const [waiting] = await pool.query(
    'SELECT (SELECT count(*) FROM wishes) AS wishes, (SELECT count(*) FROM heddle_outbox) AS outbox',
  );
  const positions = await pool.query('SELECT * FROM heddle_group_positions');
  const ends = await pool.query(
    'SELECT partition, max(position) AS last FROM heddle_topic_messages GROUP BY partition',
  );
  const work = await pool.query(
    `SELECT pid, state, wait_event, now() - xact_start AS since, left(query, 120) AS query
      FROM pg_stat_activity WHERE backend_type = 'client backend'`,
  );
  return inspect({ waiting, positions, ends, work }, { depth: 4, breakLength: 160 });
}

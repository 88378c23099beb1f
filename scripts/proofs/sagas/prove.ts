// Sagas in several processes, one of which is killed again and again; and the books at the end.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sleep } from '@heddle/kernel';
import { prepareBarrier } from '@heddle/data/barrier';
import { SagaEngine } from '@heddle/data/saga';
import { embeddedPostgres, type SqlPool, sqlPool } from '@heddle/sql';
import { quietRuntime as runtime } from '../../contracts/messaging/stage.ts';
import { endWithUs } from '../../engines/running.ts';
import { type Places, type Transfer, transferSaga } from './worker.ts';

/** What is to be run. */
export interface SagaProofOptions {
  readonly sagas: number;
  /** Processes that run them. Default 4. */
  readonly workers?: number;
  /** How often one of them is killed, or when the one before has been replaced, if that is later. Default 2000. */
  readonly killEveryMs?: number;
  /** When to give up. Default 60 minutes. */
  readonly limitMs?: number;
  readonly onLook?: (books: SagaBooks) => void;
}

/** What the books say. All but the first four must be 0 at the end. */
export interface SagaBooks {
  readonly completed: number;
  readonly compensated: number;
  readonly kills: number;
  readonly seconds: number;
  /** Neither completed nor compensated. */
  readonly open: number;
  /** Steps whose effect is there twice. */
  readonly doubled: number;
  /** Completed without all their effects, or compensated with some left. */
  readonly wrong: number;
  /** What both sides have together, against the beginning. */
  readonly madeOrLost: number;
  /** Prepared transactions, and decisions that not everybody has confirmed. */
  readonly inDoubt: number;
}

const accounts = 100;
const perAccount = 1_000_000;

/** Runs until every saga has ended and nothing is in doubt, or the limit is over. */
export async function proveSagas(options: SagaProofOptions): Promise<SagaBooks> {
  const folder = await mkdtemp(path.join(tmpdir(), 'heddle-proof-'));
  const server = embeddedPostgres({ runtime, folder });
  await server.start();
  const places: Places = {
    center: await server.createDatabase('center'),
    from: await server.createDatabase('from_side'),
    to: await server.createDatabase('to_side'),
  };
  const bank = new SagaBank(places, path.join(folder, 'compiled'), options);
  try {
    return await bank.run();
  } finally {
    await bank.stop();
    await server.stop();
    await rm(await realpath(path.join(folder, 'server')), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

class SagaBank {
  readonly #places: Places;
  readonly #options: Required<Omit<SagaProofOptions, 'onLook'>> & Pick<SagaProofOptions, 'onLook'>;
  readonly #pools: Readonly<Record<keyof Places, SqlPool>>;
  readonly #compileCache: string;
  readonly #starting = new Set<ChildProcess>();
  readonly #workers = new Set<ChildProcess>();
  #kills = 0;
  #startedMs = 0;

  constructor(places: Places, compileCache: string, options: SagaProofOptions) {
    this.#compileCache = compileCache;
    this.#places = places;
    this.#options = { workers: 4, killEveryMs: 2000, limitMs: 3_600_000, ...options };
    const open = (url: string): SqlPool => sqlPool(url, { runtime, maxConnections: 4 });
    this.#pools = { center: open(places.center), from: open(places.from), to: open(places.to) };
  }

  async run(): Promise<SagaBooks> {
    const { workers, killEveryMs, limitMs, onLook } = this.#options;
    const { clock } = runtime;
    await this.#prepare();
    await this.#begin();
    await Promise.all(Array.from({ length: workers }, () => this.#spawn()));
    this.#startedMs = clock.nowMs();
    let killAtMs = clock.nowMs() + killEveryMs;
    for (;;) {
      const books = await this.#books();
      onLook?.(books);
      const isOver = books.open === 0 && books.inDoubt === 0;
      if (isOver || clock.nowMs() - this.#startedMs > limitMs) return books;
      await sleep(runtime.timers, Math.min(500, Math.max(0, killAtMs - clock.nowMs())));
      // When all are at work: a machine that starts processes more slowly than they are killed would prove nothing.
      if (clock.nowMs() < killAtMs || books.open === 0 || this.#starting.size > 0) continue;
      killAtMs = clock.nowMs() + killEveryMs;
      await this.#killOne();
    }
  }

  async stop(): Promise<void> {
    for (const worker of [...this.#starting, ...this.#workers]) await end(worker);
    for (const pool of Object.values(this.#pools)) await pool.stop();
  }

  async #prepare(): Promise<void> {
    for (const pool of [this.#pools.from, this.#pools.to]) {
      await prepareBarrier(pool);
      await pool.execute(
        `CREATE TABLE account (id integer PRIMARY KEY, amount bigint NOT NULL) WITH (fillfactor = 50);
         INSERT INTO account SELECT n, ${perAccount} FROM generate_series(0, ${accounts - 1}) AS n;
         CREATE TABLE moves (tx text NOT NULL, op text NOT NULL, amount integer NOT NULL);
         CREATE INDEX moves_tx ON moves (tx)`,
      );
    }
  }

  /** They are stored before there is anybody to run them. */
  async #begin(): Promise<void> {
    const definition = transferSaga(undefined);
    const { center: url } = this.#places;
    const options = { runtime, pool: this.#pools.center, url, definitions: [definition], maxRunning: 0 };
    const engine = new SagaEngine(options);
    await engine.start();
    const transfers = Array.from({ length: this.#options.sagas }, (_, n) => transferOf(n));
    await Promise.all(transfers.map((transfer, n) => engine.begin(definition, transfer, { id: `s${n}` })));
    await engine.stop();
  }

  async #spawn(): Promise<void> {
    const program = path.join(import.meta.dirname, 'worker.ts');
    const args = ['--conditions=@heddle/source', program, JSON.stringify(this.#places)];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE: this.#compileCache },
    });
    endWithUs(child);
    this.#starting.add(child);
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    child.stdout.resume();
    this.#starting.delete(child);
    // Only who has begun is killed, or on a busy machine nobody ever would.
    this.#workers.add(child);
  }

  async #killOne(): Promise<void> {
    const all = [...this.#workers];
    const victim = all[runtime.random.uint32() % all.length];
    if (victim === undefined) return;
    this.#workers.delete(victim);
    await end(victim);
    this.#kills += 1;
    // The others go on meanwhile: nobody waits for the new one.
    void this.#spawn();
  }

  async #books(): Promise<SagaBooks> {
    const { center, from, to } = this.#pools;
    const [sagas] = await center.query<{
      completed: number;
      compensated: number;
      open: number;
      decided: number;
    }>(
      `SELECT count(*) FILTER (WHERE status = 'completed') AS completed,
          count(*) FILTER (WHERE status = 'compensated') AS compensated,
          count(*) FILTER (WHERE status NOT IN ('completed', 'compensated')) AS open,
          (SELECT count(*) FROM heddle_tx_decisions WHERE done_at IS NULL) AS decided
         FROM heddle_sagas`,
    );
    const [prepared] = await center.query<{ n: number }>('SELECT count(*) AS n FROM pg_prepared_xacts');
    const sides = await Promise.all([sideOf(from, -1), sideOf(to, 1)]);
    const moved = (side: Side, id: string): number => side.net.get(id) ?? 0;
    let wrong = 0;
    const ended = await center.query<{ id: string; status: string; amount: number }>(
      `SELECT id, status, (input->>'amount')::integer AS amount FROM heddle_sagas
         WHERE status IN ('completed', 'compensated')`,
    );
    for (const { id, status, amount } of ended)
      if (sides.some((side) => moved(side, id) !== (status === 'completed' ? amount : 0))) wrong += 1;
    const { completed = 0, compensated = 0, open = 0, decided = 0 } = sagas ?? {};
    return {
      completed,
      compensated,
      kills: this.#kills,
      seconds: Math.round((runtime.clock.nowMs() - this.#startedMs) / 1000),
      open,
      doubled: sides[0].doubled + sides[1].doubled,
      wrong,
      madeOrLost: sides[0].sum + sides[1].sum - 2 * accounts * perAccount,
      inDoubt: decided + (prepared?.n ?? 0),
    };
  }
}

interface Side {
  readonly sum: number;
  readonly doubled: number;
  /** What each saga has moved here in all, in its direction. */
  readonly net: ReadonlyMap<string, number>;
}

async function sideOf(pool: SqlPool, sign: 1 | -1): Promise<Side> {
  const [row] = await pool.query<{ sum: number; doubled: number }>(
    `SELECT (SELECT sum(amount)::bigint FROM account) AS sum,
       (SELECT count(*) FROM (SELECT 1 FROM moves GROUP BY tx, op HAVING count(*) > 1) AS twice) AS doubled`,
  );
  const rows = await pool.query<{ tx: string; net: number }>(
    'SELECT tx, sum(amount)::integer AS net FROM moves GROUP BY tx',
  );
  return {
    sum: row?.sum ?? 0,
    doubled: row?.doubled ?? 0,
    net: new Map(rows.map(({ tx, net }) => [tx, sign * net])),
  };
}

/** One in ten is refused in the end, one in ten is done by two-phase commit. */
function transferOf(n: number): Transfer {
  const how = n % 10 === 3 ? 'refused' : n % 10 === 7 ? 'twophase' : 'steps';
  return { account: n % accounts, amount: 1 + (n % 5), how };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

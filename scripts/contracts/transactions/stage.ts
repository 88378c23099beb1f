// One run of a pattern: its databases, its two processes, and what is true in the end.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { HeddleError, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type EmbeddedPostgres, type SqlPool, sqlPool } from '@heddle/sql';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { mariadbUser } from '../../engines/mariadb.ts';
import { endWithUs, freePorts } from '../../engines/running.ts';
import type { Weather } from './http-service.ts';
import type { KillPoint } from './kill-points.ts';
import type { Orders } from './orders.ts';

/** What goes wrong in a run. */
export interface Fault {
  readonly role?: Orders['role'];
  readonly kill?: KillPoint;
  readonly weather?: Weather;
  /** A database that is killed at the n-th durable write of the coordinator, and comes back. */
  readonly restart?: { readonly what: 'postgres' | 'mariadb'; readonly at: number };
}

/** Servers that all runs share. */
export interface Servers {
  /** A folder for what the processes have compiled: starting them is most of the work of a run. */
  readonly compileCache: string;
  readonly postgres: EmbeddedPostgres;
  readonly mariadb: { readonly port: number; restart(): Promise<void> } | undefined;
}

/** What a run has shown. */
export interface Shown {
  /** Durable writes of each process. */
  readonly writes: Readonly<Record<Orders['role'], number>>;
}

const runtime = { ...nodeRuntime({ name: 'matrix' }), log: () => {} };
const program = path.join(import.meta.dirname, 'program.ts');
const limitMs = 120_000;
const awayMessages =
  /57P0|DATABASE_STOPPING|DATABASE_UNREACHABLE|COMMIT_UNKNOWN|CONNECTION_LOST|ECONNREFUSED|PROTOCOL_CONNECTION_LOST/;
let runs = 0;

/** Runs a pattern with a fault, until it has come to its end. Rejects with what is not as it must be. */
export async function play(servers: Servers, pattern: string, fault: Fault): Promise<Shown> {
  runs += 1;
  const names = { center: `m${runs}c`, from: `m${runs}f`, to: `m${runs}t` };
  const urls = {
    center: await createDatabase(servers.postgres, names.center),
    from: await createDatabase(servers.postgres, names.from),
    to: await createDatabase(servers.postgres, names.to),
  };
  const stage = new Stage(servers, pattern, fault, urls);
  try {
    await stage.prepare();
    await stage.run();
    return { writes: stage.writes };
  } finally {
    await stage.close();
    for (const name of Object.values(names)) await dropDatabase(servers.postgres, name);
  }
}

/** The run before may have killed the server: it is waited for. */
async function createDatabase(postgres: EmbeddedPostgres, name: string): Promise<string> {
  const untilMs = runtime.clock.nowMs() + limitMs;
  for (;;) {
    try {
      return await postgres.createDatabase(name);
    } catch (thrown) {
      if (HeddleError.from(thrown).code !== 'unavailable' || runtime.clock.nowMs() > untilMs) throw thrown;
      await sleep(runtime.timers, 100);
    }
  }
}

async function dropDatabase(postgres: EmbeddedPostgres, name: string): Promise<void> {
  const admin = sqlPool(postgres.url(), { runtime, maxConnections: 1 });
  await admin.execute(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`).catch(() => {});
  await admin.stop?.();
}

class Stage {
  readonly writes: Record<Orders['role'], number> = { coordinator: 0, participant: 0 };
  readonly #servers: Servers;
  readonly #pattern: string;
  readonly #fault: Fault;
  readonly #urls: Orders['urls'];
  readonly #pools: Readonly<Record<keyof Orders['urls'], SqlPool>>;
  readonly #children = new Map<Orders['role'], ChildProcess>();
  #ports: Orders['ports'] = { coordinator: 0, participant: 0 };
  #maria: Connection | undefined;
  #begun = false;
  #closing = false;
  #restarted: Promise<void> | undefined;
  #broken: Error | undefined;

  constructor(servers: Servers, pattern: string, fault: Fault, urls: Orders['urls']) {
    this.#servers = servers;
    this.#pattern = pattern;
    this.#fault = fault;
    this.#urls = urls;
    const pool = (url: string): SqlPool => sqlPool(url, { runtime, maxConnections: 2 });
    this.#pools = { center: pool(urls.center), from: pool(urls.from), to: pool(urls.to) };
  }

  async prepare(): Promise<void> {
    const sql =
      'CREATE TABLE account (amount integer CHECK (amount >= 0), held integer NOT NULL DEFAULT 0); INSERT INTO account VALUES (100)';
    await Promise.all([this.#pools.from.execute(sql), this.#pools.to.execute(sql)]);
    await this.#connectMaria();
    if (this.#usesMaria) {
      await this.#maria?.query('CREATE TABLE IF NOT EXISTS account (amount integer) ENGINE=InnoDB');
      await this.#maria?.query('DELETE FROM account');
      await this.#maria?.query('INSERT INTO account VALUES (100)');
    }
    const [coordinator = 0, participant = 0] = await freePorts(2);
    this.#ports = { coordinator, participant };
  }

  async run(): Promise<void> {
    const { role, kill } = this.#fault;
    await Promise.all([
      this.#spawn('participant', role === 'participant' ? kill : undefined),
      this.#spawn('coordinator', role === 'coordinator' ? kill : undefined),
    ]);
    const untilMs = runtime.clock.nowMs() + limitMs;
    for (let wrong = 'it has not begun'; wrong !== ''; ) {
      if (this.#broken !== undefined) throw this.#broken;
      if (runtime.clock.nowMs() > untilMs) throw new Error(`not within ${limitMs} ms: ${wrong}`);
      await sleep(runtime.timers, 40);
      wrong = await this.#wrong().catch((error: unknown) => String(error));
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const child of this.#children.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    await this.#restarted?.catch(() => {});
    this.#maria?.destroy();
    for (const pool of Object.values(this.#pools)) await pool.stop?.();
  }

  get #usesMaria(): boolean {
    return this.#pattern === 'twophase' && this.#servers.mariadb !== undefined;
  }

  async #connectMaria(): Promise<void> {
    if (!this.#usesMaria || this.#servers.mariadb === undefined) return;
    const { port } = this.#servers.mariadb;
    const account = { user: mariadbUser, password: mariadbUser, database: 'matrix' };
    this.#maria = await createConnection({ host: '127.0.0.1', port, ...account });
    this.#maria.on('error', () => {});
  }

  /** Starts a process; when it is killed it is started again, and goes on with what it finds. */
  async #spawn(role: Orders['role'], kill: KillPoint | undefined): Promise<void> {
    const orders: Orders = {
      pattern: this.#pattern,
      role,
      begin: role === 'coordinator' && !this.#begun,
      urls: this.#urls,
      mariadbPort: this.#usesMaria ? this.#servers.mariadb?.port : undefined,
      ports: this.#ports,
      kill,
      weather: this.#fault.weather ?? {},
    };
    const args = ['--conditions=@heddle/source', '--no-warnings', program, JSON.stringify(orders)];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_COMPILE_CACHE: this.#servers.compileCache },
    });
    endWithUs(child);
    this.#children.set(role, child);
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-2000)));
    const ready = new Promise<void>((resolve, reject) => {
      let rest = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (this.#heard(role, line)) resolve();
      });
      child.once('exit', (code, signal) => {
        if (this.#closing) return reject(new Error('the run is over'));
        // Whoever starts while a database is away ends, and is started again, as by any supervisor.
        const isAway = code === 1 && this.#fault.restart !== undefined && awayMessages.test(errors);
        // A port that was free when it was chosen may since be some connection’s own, for a moment.
        const isTaken = code === 1 && errors.includes('EADDRINUSE');
        if (signal !== 'SIGKILL' && !isAway && !isTaken) {
          this.#broken = new Error(`${role} ended with ${code}: ${errors}`);
          return reject(this.#broken);
        }
        this.#spawn(role, undefined).then(resolve, reject);
      });
    });
    await ready;
  }

  #heard(role: Orders['role'], line: string): boolean {
    if (role === 'coordinator' && line === 'BEGUN') this.#begun = true;
    const count = /^WRITE (\d+)/.exec(line)?.[1];
    if (count !== undefined) {
      this.writes[role] = Math.max(this.writes[role], Number(count));
      const { restart } = this.#fault;
      if (role === 'coordinator' && restart?.at === Number(count))
        this.#restarted ??= this.#restart(restart.what);
    }
    return line === 'READY';
  }

  async #restart(what: 'postgres' | 'mariadb'): Promise<void> {
    if (what === 'mariadb') return this.#servers.mariadb?.restart();
    const { pid } = this.#servers.postgres;
    // It is started again by itself.
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  }

  /** What is not yet, or not, as it must be at the end; empty: all is. */
  async #wrong(): Promise<string> {
    await this.#restarted;
    if (!this.#begun) return 'the coordinator has not begun all transfers';
    const open = await this.#open();
    if (open !== '') return open;
    const [from, to] = [await this.#amounts('from'), await this.#amounts('to')];
    const third = await this.#third();
    if (from.held !== 0 || to.held !== 0) return `still reserved: ${from.held} and ${to.held}`;
    const [gone, come] = [100 - from.amount, to.amount - 100 + third];
    if (this.#pattern === 'notify') return come === 30 ? '' : `the receiver has noted ${come}, not 30`;
    if (gone !== come) return `${gone} has gone, and ${come} has come`;
    // What has no id of its own may be begun again by a coordinator that does not know how it ended.
    const most = this.#pattern === 'twophase' || this.#pattern === 'outbox' ? 60 : 30;
    return gone % 30 === 0 && gone <= most ? '' : `${gone} has gone`;
  }

  async #open(): Promise<string> {
    const { center, to, from } = this.#pools;
    if (this.#pattern === 'twophase') {
      const [prepared] = await to.query<{ n: number }>(
        'SELECT count(*)::integer AS n FROM pg_prepared_xacts WHERE database = ANY ($1::text[])',
        [[this.#urls.from, this.#urls.to].map((url) => new URL(url).pathname.slice(1))],
      );
      const [decided] = await center.query<{ n: number }>(
        'SELECT count(*)::integer AS n FROM heddle_tx_decisions WHERE done_at IS NULL',
      );
      const recovered = await this.#mariaRows('XA RECOVER');
      const open = [prepared?.n, decided?.n, recovered.length];
      return open.some((n) => n !== 0) ? `prepared, decided, XA: ${open.join(', ')}` : '';
    }
    if (this.#pattern === 'outbox') {
      const rows = await from.query('SELECT 1 FROM heddle_outbox');
      return rows.length > 0 ? 'the outbox is not empty' : '';
    }
    const rows = await center.query<{ id: string; status: string }>(
      "SELECT id, status FROM heddle_sagas WHERE status NOT IN ('completed', 'compensated')",
    );
    return rows.map(({ id, status }) => `${id} is ${status}`).join(', ');
  }

  async #amounts(which: 'from' | 'to'): Promise<{ readonly amount: number; readonly held: number }> {
    const [row] = await this.#pools[which].query<{ amount: number; held: number }>(
      'SELECT amount, held FROM account',
    );
    return row ?? { amount: -1, held: -1 };
  }

  async #third(): Promise<number> {
    if (!this.#usesMaria) return 0;
    const [row] = await this.#mariaRows('SELECT amount FROM account');
    return Number(row?.['amount']) - 100;
  }

  /** Rejects when the connection is lost, and has a new one the next time. */
  async #mariaRows(sql: string): Promise<readonly RowDataPacket[]> {
    if (!this.#usesMaria) return [];
    try {
      return (await this.#maria?.query<RowDataPacket[]>(sql))?.[0] ?? [];
    } catch (error) {
      this.#maria?.destroy();
      await this.#connectMaria();
      throw error;
    }
  }
}

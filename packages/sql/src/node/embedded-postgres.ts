import { createHmac } from 'node:crypto';
import { HeddleError, type Part, type Runtime, sleep } from '@heddle/kernel';
import type { SqlPool } from '../sql.ts';
import { sqlPool } from './pool.ts';
import { launch, type Postmaster } from './postmaster.ts';
import { type ServerFolder, serverFolder } from './server-folder.ts';

/** What the embedded server may be told. Durations in milliseconds. */
export interface EmbeddedPostgresOptions {
  readonly runtime: Runtime;
  /** Where the data lives; made if missing. One server per folder. */
  readonly folder: string;
  /** Default: any free one, kept for as long as this part runs. */
  readonly port?: number;
  /** Default 200. */
  readonly maxConnections?: number;
  /** For two-phase commit. Default 100; 0 is as PostgreSQL comes. */
  readonly maxPreparedTransactions?: number;
  /** How long a start may take, recovery after a crash included. Default 60000. */
  readonly startMs?: number;
  /** How long transactions may take to be rolled back before the server is cut short. Default 3500. */
  readonly stopGraceMs?: number;
}

/** A PostgreSQL server that lives and dies with this process. */
export interface EmbeddedPostgres extends Part {
  /** The superuser's URL of a database, with its password. Throws `failed_precondition` while it does not run. */
  url(database?: string): string;
  /**
   * Makes a database with a user of the same name that owns it and alone may enter it, unless they exist.
   * Returns that user's URL. `name`: lower-case letters, digits and `_`, at most 63, a letter first, not one of the server's own.
   */
  createDatabase(name: string): Promise<string>;
  /** The server's process; undefined while it does not run. */
  readonly pid: number | undefined;
}

/**
 * A real PostgreSQL from npm on 127.0.0.1, with SCRAM and a random password that is kept in the folder (mode 0600);
 * no other way in. As root it runs as `nobody`. If it dies it is started again on the same port, and recovers what
 * was committed; five times in a row at most. `start` rejects with `DATABASE_IN_USE` if another live process serves
 * the folder, with `DATA_FOLDER_DENIED` if the folder cannot be used.
 */
export function embeddedPostgres(options: EmbeddedPostgresOptions): EmbeddedPostgres {
  return new EmbeddedServer(options);
}

const attempts = 5;
// Not one of the server's own: names of roles that begin with `pg_` are reserved too.
const databaseName = /^(?!(?:postgres|heddle|template0|template1)$|pg_)[a-z][a-z0-9_]{0,62}$/;

class EmbeddedServer implements EmbeddedPostgres {
  readonly name = 'embedded PostgreSQL';
  readonly #options: Required<EmbeddedPostgresOptions>;
  #place: ServerFolder | undefined;
  #postmaster: Postmaster | undefined;
  #admin: SqlPool | undefined;
  #stopping = false;
  #revival: Promise<void> | undefined;

  constructor(options: EmbeddedPostgresOptions) {
    const limits = { maxConnections: 200, maxPreparedTransactions: 100 };
    this.#options = { port: 0, ...limits, startMs: 60_000, stopGraceMs: 3500, ...options };
  }

  get pid(): number | undefined {
    return this.#postmaster?.pid;
  }

  async start(): Promise<void> {
    const { runtime, folder } = this.#options;
    this.#stopping = false;
    this.#place = await serverFolder(folder, runtime);
    const postmaster = await this.#launch(this.#options.port);
    this.#adopt(postmaster);
    this.#admin = sqlPool(this.url(), { runtime, name: 'heddle administration', maxConnections: 2 });
    runtime.log('info', 'PostgreSQL is ready', { pid: postmaster.pid, port: postmaster.port });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#revival;
    await this.#admin?.stop();
    const postmaster = this.#postmaster;
    this.#postmaster = undefined;
    await postmaster?.stop(this.#options.stopGraceMs);
  }

  url(database: string = 'postgres'): string {
    const { place, port } = this.#running();
    return `postgres://heddle:${place.password}@127.0.0.1:${port}/${database}`;
  }

  async createDatabase(name: string): Promise<string> {
    if (!databaseName.test(name)) {
      const message = `a database name is lower-case letters, digits and _, a letter first, at most 63, and not one of the server's own; found ${JSON.stringify(name)}`;
      throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_DATABASE_NAME', message, sent: false });
    }
    const { place, port, admin } = this.#running();
    // Derived, so that there is one secret to keep; it tells nothing about the one that it comes from.
    const password = createHmac('sha256', place.password).update(`database ${name}`).digest('base64url');
    await createOwner(admin, name, password);
    await createOwned(admin, name);
    return `postgres://${name}:${password}@127.0.0.1:${port}/${name}`;
  }

  #running(): { place: ServerFolder; port: number; admin: SqlPool } {
    const port = this.#postmaster?.port;
    if (this.#place !== undefined && port !== undefined) {
      // The pool is made last in `start`; before that only `url` is asked for, which does not use it.
      return { place: this.#place, port, admin: this.#admin as SqlPool };
    }
    const message = 'the embedded PostgreSQL does not run; start it first';
    throw new HeddleError({ code: 'failed_precondition', reason: 'NOT_STARTED', message, sent: false });
  }

  /** Tries again where the cause passes by itself: a free port that was taken, backends of a dead server. */
  async #launch(port: number): Promise<Postmaster> {
    const { runtime, maxConnections, maxPreparedTransactions, startMs } = this.#options;
    const limits = { maxConnections, maxPreparedTransactions, startMs };
    const place = this.#place as ServerFolder;
    for (let attempt = 1; ; attempt += 1) {
      const chosen = port === 0 ? await freePort(runtime) : port;
      try {
        return await launch({ runtime, place, port: chosen, ...limits });
      } catch (thrown) {
        const { reason } = HeddleError.from(thrown);
        const passes = reason === 'STILL_STOPPING' || (reason === 'PORT_IN_USE' && port === 0);
        if (!passes || attempt >= attempts) throw thrown;
        await sleep(runtime.timers, 200 * attempt);
      }
    }
  }

  #adopt(postmaster: Postmaster): void {
    this.#postmaster = postmaster;
    void postmaster.exited.then((how) => {
      if (this.#stopping || this.#postmaster !== postmaster) return;
      this.#options.runtime.log('error', 'PostgreSQL died', { pid: postmaster.pid, how });
      this.#revival = this.#revive(postmaster);
    });
  }

  async #revive(dead: Postmaster): Promise<void> {
    const { log, timers } = this.#options.runtime;
    for (let attempt = 1; attempt <= attempts && !this.#stopping; attempt += 1) {
      try {
        const postmaster = await this.#launch(dead.port);
        log('info', 'PostgreSQL runs again', { pid: postmaster.pid, port: postmaster.port });
        this.#adopt(postmaster);
        return;
      } catch (thrown) {
        log('error', 'PostgreSQL could not be started again', {
          attempt,
          error: HeddleError.from(thrown).message,
        });
        await sleep(timers, 200 * 2 ** attempt);
      }
    }
  }
}

async function freePort(runtime: Runtime): Promise<number> {
  const listener = await runtime.net.listen({ host: '127.0.0.1', port: 0 }, (connection) =>
    connection.destroy(),
  );
  await listener.close();
  return listener.address.port;
}

/** Names are checked and passwords are base64url, so neither can end its quotes. */
async function createOwner(admin: SqlPool, name: string, password: string): Promise<void> {
  await admin.transaction(async (sql) => {
    await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('heddle_databases', 0))");
    const found = await sql.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
    if (found.length === 0) await sql.execute(`CREATE ROLE "${name}" LOGIN PASSWORD '${password}'`);
  });
}

async function createOwned(admin: SqlPool, name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    try {
      // Not possible in a transaction, so two callers may both get here: the loser looks again.
      if (found.length === 0) await admin.execute(`CREATE DATABASE "${name}" OWNER "${name}"`);
      await admin.execute(`REVOKE CONNECT, TEMPORARY ON DATABASE "${name}" FROM PUBLIC`);
      return;
    } catch (thrown) {
      if (attempt >= attempts) throw thrown;
    }
  }
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sleep } from '@heddle/kernel';
import { postgresEngine } from '@heddle/messaging/postgres';
import { type EmbeddedPostgres, embeddedPostgres, removeEmbeddedPostgres, sqlPool } from '@heddle/sql';
import type { BrokerFaults } from '@heddle/messaging/testing';
import { quietRuntime, stageOf } from './stage.ts';
import { messagingContract } from './suite.ts';
import type { Contract } from '../result.ts';

/** An embedded server with a database for each that asks, and `kill -9` for it. It starts itself again. */
export class PostgresServer {
  readonly #folder: string;
  readonly #server: EmbeddedPostgres;
  #databases = 0;

  constructor() {
    this.#folder = mkdtempSync(path.join(tmpdir(), 'heddle-contracts-'));
    this.#server = embeddedPostgres({ runtime: quietRuntime, folder: this.#folder });
  }

  /** The version that it says. */
  async start(): Promise<string> {
    await this.#server.start();
    const pool = sqlPool(this.#server.url(), { runtime: quietRuntime, maxConnections: 1 });
    const [row] = await pool.query<{ server_version: string }>('SHOW server_version');
    await pool.stop();
    return row?.server_version ?? '';
  }

  database(): Promise<string> {
    this.#databases += 1;
    return this.#server.createDatabase(`d${this.#databases}`);
  }

  readonly faults: BrokerFaults = {
    kill: async () => {
      process.kill(this.#pid(), 'SIGKILL');
    },
    restart: async () => {
      const before = this.#pid();
      const giveUpAt = performance.now() + 60_000;
      while (this.#server.pid === before || !(await this.#answers())) {
        if (performance.now() > giveUpAt) throw new Error('PostgreSQL is not back after a minute');
        await sleep(quietRuntime.timers, 20);
      }
    },
  };

  async stop(): Promise<void> {
    await this.#server.stop();
    await removeEmbeddedPostgres(this.#folder);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    const pool = sqlPool(this.#server.url(), { runtime: quietRuntime, maxConnections: 1 });
    try {
      await pool.query('SELECT 1');
      return true;
    } catch {
      return false;
    } finally {
      await pool.stop();
    }
  }

  #pid(): number {
    const { pid } = this.#server;
    if (pid === undefined) throw new Error('PostgreSQL does not run');
    return pid;
  }
}

// Long beside the pauses of a busy machine: a lease that lapses has its messages done twice, as it should.
const leaseMs = 10_000;
let server: PostgresServer | undefined;

/** PostgreSQL, the embedded one: the default. */
export const postgresMessaging: Contract = messagingContract({
  backend: 'postgres',
  faults: ['kill', 'restart'],
  prepare: async () => {
    server = new PostgresServer();
    return { version: await server.start() };
  },
  stage: async () => {
    if (server === undefined) throw new Error('not prepared');
    const url = await server.database();
    return stageOf(leaseMs, server.faults, async (runtime) => {
      const pool = sqlPool(url, { runtime: quietRuntime, maxConnections: 5 });
      return {
        engine: await postgresEngine({ runtime, pool, url, leaseMs, pollMs: 250 }),
        cut: () => pool.stop(),
      };
    });
  },
  end: async () => {
    await server?.stop();
    server = undefined;
  },
});

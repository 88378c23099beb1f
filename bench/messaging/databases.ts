// An embedded PostgreSQL for a bench, and databases in it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type EmbeddedPostgres, embeddedPostgres, removeEmbeddedPostgres } from '@heddle/sql';

/** The runtime of benches; it says nothing. */
export const runtime: Runtime = { ...nodeRuntime({ name: 'bench' }), log: () => {} };

/** A server for as long as the bench takes. */
export class Databases {
  readonly #folder: string = mkdtempSync(path.join(tmpdir(), 'heddle-bench-'));
  readonly #server: EmbeddedPostgres;
  #count = 0;

  constructor() {
    this.#server = embeddedPostgres({ runtime, folder: this.#folder });
  }

  start(): Promise<void> {
    return this.#server.start();
  }

  /** The URL of a new database. */
  database(): Promise<string> {
    this.#count += 1;
    return this.#server.createDatabase(`bench${this.#count}`);
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await removeEmbeddedPostgres(this.#folder);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

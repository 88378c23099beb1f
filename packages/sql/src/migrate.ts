import { HeddleError } from '@heddle/kernel';
import type { Sql, SqlPool } from './sql.ts';

/** One step of a schema. Once released, it is never edited: a change is a new step. */
export interface Migration {
  /** Unique in its set, e.g. `0001-orders`. */
  readonly id: string;
  /** One or more statements. All run in a transaction, so no `CREATE INDEX CONCURRENTLY`. */
  readonly sql: string;
}

/** What `migrate` may be told. */
export interface MigrateOptions {
  /** How long one statement may take, including the wait for another instance that migrates. Default 60000. */
  readonly statementTimeoutMs?: number;
}

/** What `migrate` did. */
export interface MigrationReport {
  /** Ids of the steps that ran now, in order. */
  readonly applied: readonly string[];
  /** Ids that the database has beyond the list: a newer version of the program has been here. */
  readonly ahead: readonly string[];
}

interface Applied {
  readonly id: string;
  readonly checksum: string;
}

const bookkeeping = `
  CREATE TABLE IF NOT EXISTS heddle_migrations (
    set_name text NOT NULL,
    position integer NOT NULL,
    id text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (set_name, position),
    UNIQUE (set_name, id)
  )`;

/**
 * Brings the schema named `set` up to date: runs the steps that the database does not have, in order, all or none.
 * Instances that start at once wait for each other (a transaction-level advisory lock); one runs the steps.
 * A database that is ahead is accepted, so that an older version can be started again during a rolling update:
 * keep each step compatible with the version before it. Rejects with `failed_precondition`: `MIGRATION_CHANGED`
 * when a step that has run was edited, `MIGRATION_ORDER` when the steps that have run are not the first of the list.
 */
export async function migrate(
  pool: SqlPool,
  set: string,
  migrations: readonly Migration[],
  options: MigrateOptions = {},
): Promise<MigrationReport> {
  const { statementTimeoutMs = 60_000 } = options;
  requireUniqueIds(set, migrations);
  return pool.transaction(
    async (sql) => {
      await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('heddle_migrations', 0))");
      await sql.execute(bookkeeping);
      const done = await sql.query<Applied>(
        'SELECT id, checksum FROM heddle_migrations WHERE set_name = $1 ORDER BY position',
        [set],
      );
      const checksums = await checksumsOf(sql, migrations);
      requireSamePast(set, migrations, checksums, done);
      const pending = migrations.slice(done.length);
      for (const [index, migration] of pending.entries()) {
        const position = done.length + index;
        await applyOne(sql, set, position, migration, checksums[position] ?? '');
      }
      const ahead = done.slice(migrations.length).map((each) => each.id);
      return { applied: pending.map((each) => each.id), ahead };
    },
    { statementTimeoutMs },
  );
}

async function applyOne(
  sql: Sql,
  set: string,
  position: number,
  step: Migration,
  checksum: string,
): Promise<void> {
  try {
    await sql.execute(step.sql);
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    const message = `migration ${step.id} of ${set} failed, and all steps of this run were undone: ${error.message}`;
    throw error.with({ reason: 'MIGRATION_FAILED', message });
  }
  const insert = 'INSERT INTO heddle_migrations (set_name, position, id, checksum) VALUES ($1, $2, $3, $4)';
  await sql.execute(insert, [set, position, step.id, checksum]);
}

/** By the server: one implementation of SHA-256 less on our side. */
async function checksumsOf(sql: Sql, migrations: readonly Migration[]): Promise<readonly string[]> {
  const rows = await sql.query<{ checksum: string }>(
    `SELECT encode(sha256(convert_to(step, 'UTF8')), 'hex') AS checksum
       FROM unnest($1::text[]) WITH ORDINALITY AS steps (step, position) ORDER BY position`,
    [migrations.map((each) => each.sql)],
  );
  return rows.map((row) => row.checksum);
}

function requireUniqueIds(set: string, migrations: readonly Migration[]): void {
  const seen = new Set<string>();
  for (const { id } of migrations) {
    if (seen.has(id))
      throw refused('MIGRATION_ORDER', `the migrations of ${set} name ${id} twice; ids are unique`);
    seen.add(id);
  }
}

function requireSamePast(
  set: string,
  migrations: readonly Migration[],
  checksums: readonly string[],
  done: readonly Applied[],
): void {
  for (const [position, ran] of done.entries()) {
    const step = migrations[position];
    if (step === undefined) return;
    if (step.id !== ran.id) {
      const message = `step ${position + 1} of ${set} is ${step.id}, but the database ran ${ran.id} there; add steps at the end`;
      throw refused('MIGRATION_ORDER', message);
    }
    if (checksums[position] !== ran.checksum) {
      const message = `migration ${step.id} of ${set} was edited after it ran here; restore it and add a new step`;
      throw refused('MIGRATION_CHANGED', message);
    }
  }
}

function refused(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'failed_precondition', reason, message, sent: false });
}

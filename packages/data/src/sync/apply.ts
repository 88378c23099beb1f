import { type Migration, migrate, type Sql, type SqlPool } from '@heddle/sql';
import type { Change, SourceEntity } from './change.ts';
import type { AnySyncRule } from './rule.ts';
import type { SyncSource } from './source.ts';

const migrations: readonly Migration[] = [
  {
    id: '0001-sync',
    sql: `
      CREATE TABLE heddle_sync_applied (
        rule text COLLATE "C" NOT NULL,
        entity text COLLATE "C" NOT NULL,
        version bigint NOT NULL,
        PRIMARY KEY (rule, entity)
      );
      CREATE TABLE heddle_sync_checkpoints (
        rule text PRIMARY KEY,
        position bigint NOT NULL DEFAULT 0,
        copied boolean NOT NULL DEFAULT false
      );
      CREATE TABLE heddle_sync_parked (
        rule text COLLATE "C" NOT NULL,
        entity text COLLATE "C" NOT NULL,
        error text NOT NULL,
        parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (rule, entity)
      );`,
  },
];

/** Makes the notes of a target, in its database. */
export async function prepareTarget(pool: SqlPool): Promise<void> {
  await migrate(pool, 'heddle_sync', migrations);
}

/**
 * Carries a change out in a target, as part of the transaction `sql`. False: the target has it, or a newer one. Two of one
 * entity wait for each other at its note, so what is older never overwrites what is newer.
 */
export async function applyChange(sql: Sql, rule: AnySyncRule, change: Change): Promise<boolean> {
  const fresh = await sql.execute(
    `INSERT INTO heddle_sync_applied AS known (rule, entity, version) VALUES ($1, $2, $3)
       ON CONFLICT (rule, entity) DO UPDATE SET version = EXCLUDED.version WHERE known.version < EXCLUDED.version`,
    [rule.name, change.id, change.version],
  );
  if (fresh === 0) return false;
  await write(sql, rule, change.id, change.value);
  return true;
}

/** Makes the copy of one entity as its source has it, unless the target has a newer one. */
export async function applyEntity(
  rule: AnySyncRule,
  source: SyncSource,
  from: Sql,
  id: string,
): Promise<void> {
  await rule.target.pool.transaction(async (sql) => {
    await lockNote(sql, rule, id);
    // Read behind the lock: what changes after this waits for it, and finds itself newer.
    await writeEntity(sql, rule, id, await source.read(from, id));
    await sql.execute('DELETE FROM heddle_sync_parked WHERE rule = $1 AND entity = $2', [rule.name, id]);
  });
}

/** Makes copies of all entities of a source, page by page. Resolves with how many there are. */
export async function copyAll(rule: AnySyncRule, source: SyncSource, from: Sql): Promise<number> {
  let count = 0;
  for (let after = ''; ; ) {
    const page = await source.page(from, after, 500);
    const last = page.at(-1);
    if (last === undefined) return count;
    await rule.target.pool.transaction(async (sql) => {
      for (const entity of page) {
        await lockNote(sql, rule, entity.id);
        await writeEntity(sql, rule, entity.id, entity);
      }
    });
    count += page.length;
    after = last.id;
  }
}

/** The note of an entity, made if there is none, and held until the transaction ends. */
async function lockNote(sql: Sql, rule: AnySyncRule, id: string): Promise<void> {
  await sql.execute(
    `INSERT INTO heddle_sync_applied AS known (rule, entity, version) VALUES ($1, $2, 0)
       ON CONFLICT (rule, entity) DO UPDATE SET version = known.version`,
    [rule.name, id],
  );
}

async function writeEntity(
  sql: Sql,
  rule: AnySyncRule,
  id: string,
  found: SourceEntity | undefined,
): Promise<void> {
  if (found?.version !== undefined) {
    const text =
      'UPDATE heddle_sync_applied SET version = $3 WHERE rule = $1 AND entity = $2 AND version <= $3';
    if ((await sql.execute(text, [rule.name, id, found.version])) === 0) return;
  }
  await write(sql, rule, id, found?.value);
}

async function write(sql: Sql, rule: AnySyncRule, id: string, value: unknown): Promise<void> {
  const mapped = value === undefined ? undefined : rule.map(value as never);
  await rule.target.write(sql, id, mapped);
}

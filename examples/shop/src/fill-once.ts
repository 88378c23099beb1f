import type { Sql, SqlPool } from '@heddle/sql';

/**
 * Runs `fill` if `table` is empty, in one transaction. Instances that start at once wait for the first.
 * Returns whether it ran.
 */
export function fillOnce(pool: SqlPool, table: string, fill: (sql: Sql) => Promise<void>): Promise<boolean> {
  return pool.transaction(
    async (sql) => {
      await sql.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`shop fill ${table}`]);
      const found = await sql.query(`SELECT 1 FROM ${table} LIMIT 1`);
      if (found.length > 0) return false;
      await fill(sql);
      return true;
    },
    { statementTimeoutMs: 60_000 },
  );
}

import { CompiledQuery, type Transaction } from 'kysely';
import type { Sql } from '@heddle/sql';
import { sqlOf } from './pg.ts';

/** Your own Kysely transaction, of its PostgreSQL dialect, as a `Sql`; see `sqlOfPg`. */
export function sqlOfKysely<Tables>(transaction: Transaction<Tables>): Sql {
  return sqlOf('your Kysely transaction', async (text, values) => {
    const { rows, numAffectedRows } = await transaction.executeQuery(
      CompiledQuery.raw(text, values === undefined ? [] : [...values]),
    );
    const rowCount = numAffectedRows === undefined ? rows.length : Number(numAffectedRows);
    return [{ rows, rowCount }];
  });
}

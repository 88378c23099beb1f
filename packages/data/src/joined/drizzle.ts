import { type SQL, sql } from 'drizzle-orm';
import type { Sql } from '@heddle/sql';
import { type PgAnswer, sqlOf } from './pg.ts';

/** What is needed of a Drizzle transaction over `node-postgres`. */
export interface DrizzleTransaction {
  execute(query: SQL): PromiseLike<PgAnswer | PgAnswer[]>;
}

/** Your own Drizzle transaction, over `node-postgres`, as a `Sql`; see `sqlOfPg`. */
export function sqlOfDrizzle(transaction: DrizzleTransaction): Sql {
  return sqlOf('your Drizzle transaction', async (text, values) => {
    // Drizzle numbers its parameters itself: each `$n` of ours becomes one of its own.
    const parts = values === undefined ? [text] : text.split(/\$(\d+)/);
    const chunks = parts.map((part, at) =>
      at % 2 === 0 ? sql.raw(part) : sql`${sql.param(values?.[Number(part) - 1])}`,
    );
    const answer = await transaction.execute(sql.join(chunks));
    return Array.isArray(answer) ? answer : [answer];
  });
}

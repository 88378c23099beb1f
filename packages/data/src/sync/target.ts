import { HeddleError } from '@heddle/kernel';
import type { Sql, SqlPool } from '@heddle/sql';

/** Where copies of entities are kept: a database, and how one is written and read in it. */
export interface SyncTarget<To = unknown> {
  /** Of the database and what is kept in it; lower-case letters, digits and `-`. */
  readonly name: string;
  readonly pool: SqlPool;
  /** Makes it so, in a transaction with the note that it was done. Undefined: the copy goes. */
  write(sql: Sql, id: string, value: To | undefined): Promise<unknown>;
  /** Copies behind an id, in the order of the ids' bytes. For comparisons. */
  page(
    sql: Sql,
    after: string,
    limit: number,
  ): Promise<readonly { readonly id: string; readonly value: unknown }[]>;
}

/** What a table of copies is made from. */
export interface TableTargetOptions {
  readonly name: string;
  readonly pool: SqlPool;
  /** With or without its schema. What is mapped has its columns; those that it does not have become NULL. */
  readonly table: string;
  /** Its primary key. Default `id`. */
  readonly idColumn?: string;
}

/** Copies as the rows of a table. */
export function tableTarget<To extends object>(options: TableTargetOptions): SyncTarget<To> {
  const { name, pool } = options;
  const table = identifier('table', options.table);
  const id = identifier('idColumn', options.idColumn ?? 'id');
  return {
    name,
    pool,
    write: async (sql, key, value) => {
      if (value === undefined) return sql.execute(`DELETE FROM ${table} WHERE ${id}::text = $1`, [key]);
      const columns = await columnsOf(sql, options.table);
      const set = columns.map((column) => `${column} = EXCLUDED.${column}`).join(', ');
      return sql.execute(
        `INSERT INTO ${table} SELECT * FROM jsonb_populate_record(NULL::${table}, $1::jsonb)
           ON CONFLICT (${id}) DO UPDATE SET ${set}`,
        [JSON.stringify(value)],
      );
    },
    page: (sql, after, limit) =>
      sql.query(
        `SELECT ${id}::text AS id, to_jsonb(kept) AS value FROM ${table} AS kept
           WHERE ${id}::text COLLATE "C" > $1 ORDER BY ${id}::text COLLATE "C" LIMIT $2`,
        [after, limit],
      ),
  };
}

async function columnsOf(sql: Sql, table: string): Promise<readonly string[]> {
  const rows = await sql.query<{ name: string }>(
    `SELECT quote_ident(attname) AS name FROM pg_attribute
       WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
    [table],
  );
  return rows.map(({ name }) => name);
}

/** A name of SQL that may have a schema before it; what else is in it is refused, since it becomes part of statements. */
export function identifier(field: string, name: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/.test(name)) return name;
  const message = `${field}: expected lower-case letters, digits and "_", perhaps with a schema and "." before, found ${JSON.stringify(name)}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_SYNC', message, sent: false });
}

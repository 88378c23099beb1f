import type { Sql } from '@heddle/sql';
import type { SourceEntity } from './change.ts';
import { identifier } from './target.ts';

/** Where entities of one type come from: for copying all of them, for one of them again, and for comparisons. */
export interface SyncSource {
  readonly entityType: string;
  read(sql: Sql, id: string): Promise<SourceEntity | undefined>;
  /** Entities behind an id, in the order of the ids' bytes. */
  page(sql: Sql, after: string, limit: number): Promise<readonly SourceEntity[]>;
}

/** The table of a `SqlRepository`, with its versions. */
export function repositorySource(entityType: string, table: string): SyncSource {
  return sourceOf(entityType, identifier('table', table), 'id', 'kept.version', 'kept.body');
}

/** Any table, row by row, without versions: for services that were not written for this. */
export function tableSource(entityType: string, table: string, idColumn = 'id'): SyncSource {
  const id = identifier('idColumn', idColumn);
  return sourceOf(entityType, identifier('table', table), id, 'NULL::bigint', 'to_jsonb(kept)');
}

function sourceOf(entityType: string, table: string, id: string, version: string, value: string): SyncSource {
  const key = `kept.${id}::text COLLATE "C"`;
  const select = `SELECT kept.${id}::text AS id, ${version} AS version, ${value} AS value FROM ${table} AS kept`;
  const entityOf = (row: { id: string; version: number | null; value: unknown }): SourceEntity => ({
    ...row,
    version: row.version ?? undefined,
  });
  return {
    entityType,
    read: async (sql, wanted) => {
      const [row] = await sql.query<Parameters<typeof entityOf>[0]>(`${select} WHERE ${key} = $1`, [wanted]);
      return row && entityOf(row);
    },
    page: async (sql, after, limit) => {
      const rows = await sql.query<Parameters<typeof entityOf>[0]>(
        `${select} WHERE ${key} > $1 ORDER BY ${key} LIMIT $2`,
        [after, limit],
      );
      return rows.map(entityOf);
    },
  };
}

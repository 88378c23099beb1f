import type { DuckDBConnection } from '@duckdb/node-api';

/** A file of an earlier version has ids as texts: they become numbers. To be called when it is opened. */
export async function renewSpans(connection: DuckDBConnection, catalog: string): Promise<void> {
  const asked = `SELECT data_type FROM duckdb_columns()
    WHERE database_name = $1 AND table_name = 'spans' AND column_name = 'trace_id'`;
  const [row] = (await connection.runAndReadAll(asked, [catalog])).getRowObjects();
  if (row?.['data_type'] !== 'VARCHAR') return;
  const number = (digits: string): string => `CAST('0x' || ${digits} AS UBIGINT)`;
  const high = `CAST(${number('substr(trace_id, 1, 16)')} AS UHUGEINT) * ${2n ** 64n}::UHUGEINT`;
  const columns = [
    ['trace_id', 'UHUGEINT', `${high} + ${number('substr(trace_id, 17)')}`],
    ['span_id', 'UBIGINT', number('span_id')],
    ['parent_id', 'UBIGINT', `CASE WHEN parent_id = '' THEN 0 ELSE ${number('parent_id')} END`],
  ] as const;
  // All or none: a file with some of them renewed would be read wrongly.
  await connection.run('BEGIN');
  try {
    for (const [column, type, value] of columns)
      await connection.run(`ALTER TABLE ${catalog}.spans ALTER ${column} TYPE ${type} USING ${value}`);
    await connection.run('COMMIT');
  } catch (thrown) {
    await connection.run('ROLLBACK').catch(() => {});
    throw thrown;
  }
}

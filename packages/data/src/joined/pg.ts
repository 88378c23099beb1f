import { type Sql, sqlError, type SqlValue } from '@heddle/sql';

/** What is needed of a `pg` client, which is what its `Client` and `PoolClient` are. */
export interface PgClient {
  query(text: string, values?: unknown[]): Promise<PgAnswer | PgAnswer[]>;
}

/** What a `pg` client answers. */
export interface PgAnswer {
  readonly rows: unknown[];
  readonly rowCount: number | null;
}

/**
 * Your own `pg` transaction as a `Sql`: whatever takes one (an outbox, a barrier, `SagaEngine.beginIn`, a repository)
 * then commits or rolls back with it. Beginning and ending it stays yours. Types of columns are as your client has them.
 */
export function sqlOfPg(client: PgClient): Sql {
  return sqlOf('your pg client', async (text, values) => {
    const answer = await client.query(text, values === undefined ? undefined : [...values]);
    return Array.isArray(answer) ? answer : [answer];
  });
}

/** A `Sql` from whatever runs one text. For the adapters beside this one. */
export function sqlOf(
  what: string,
  run: (text: string, values?: readonly SqlValue[]) => Promise<readonly PgAnswer[]>,
): Sql {
  const ran = async (text: string, values?: readonly SqlValue[]): Promise<readonly PgAnswer[]> => {
    try {
      return await run(text, values);
    } catch (thrown) {
      // An ORM may have wrapped what the driver said.
      const cause: unknown = thrown instanceof Error ? thrown.cause : undefined;
      throw sqlError(cause instanceof Error && 'severity' in cause ? cause : thrown, 'statement', what);
    }
  };
  return {
    query: async <Row extends object>(text: string, values?: readonly SqlValue[]) =>
      ((await ran(text, values)).at(-1)?.rows ?? []) as readonly Row[],
    execute: async (text, values) =>
      (await ran(text, values)).reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0),
  };
}

import { HeddleError } from '@heddle/kernel';
import { migrate, type Sql, type SqlPool, violationOf } from '@heddle/sql';
import { type Criteria, nextOf, type Page, type PageOptions, queryOf } from './criteria.ts';
import { valueOf } from './matches.ts';
import { entityExists, noSuchEntity, staleVersion } from './refusals.ts';
import type { Entity, Fields } from './entity.ts';
import type { Repository, Stored } from './repository.ts';
import { sqlOf } from './sql-query.ts';

/** What a repository in PostgreSQL is made from. */
export interface SqlRepositoryOptions<Kept extends Entity> {
  readonly pool: SqlPool;
  /** Lower-case letters, digits and `_`, beginning with a letter. */
  readonly table: string;
  /** What may be asked for, and ordered by. Indexes are for the user to make: `((body ->> 'name') COLLATE "C")`. */
  readonly fields?: Fields<Kept>;
}

interface Row<Kept> {
  readonly body: Kept;
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const columns = 'body, version, created_at, updated_at';

/** Entities in a table of their own, as JSON. */
export class SqlRepository<Kept extends Entity> implements Repository<Kept> {
  readonly #options: SqlRepositoryOptions<Kept>;
  readonly #sql: Sql;
  readonly #table: string;

  constructor(options: SqlRepositoryOptions<Kept>, sql: Sql = options.pool) {
    const { table } = options;
    if (!/^[a-z][a-z0-9_]{0,55}$/.test(table)) {
      const message = `table: expected 1 to 56 lower-case letters, digits and "_", beginning with a letter, found ${JSON.stringify(table)}`;
      throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_TABLE', message, sent: false });
    }
    this.#options = options;
    this.#sql = sql;
    this.#table = table;
  }

  /** Makes the table. */
  async prepare(): Promise<void> {
    const { pool } = this.#options;
    await migrate(pool, `entities_${this.#table}`, [
      {
        id: '0001-entities',
        sql: `CREATE TABLE ${this.#table} (
          id text COLLATE "C" PRIMARY KEY,
          body jsonb NOT NULL,
          version bigint NOT NULL DEFAULT 1,
          created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
          updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )`,
      },
    ]);
  }

  /** The same entities, in a transaction of the caller's: several repositories in one `sql` are one unit of work. */
  within(sql: Sql): SqlRepository<Kept> {
    return new SqlRepository(this.#options, sql);
  }

  async save(entity: Kept): Promise<Stored<Kept>> {
    try {
      const rows = await this.#rows(
        `INSERT INTO ${this.#table} (id, body) VALUES ($1, $2::jsonb) RETURNING ${columns}`,
        [entity.id, JSON.stringify(entity)],
      );
      return stored(rows[0] as Row<Kept>);
    } catch (thrown) {
      const isTaken = violationOf(HeddleError.from(thrown))?.constraint === `${this.#table}_pkey`;
      throw isTaken ? entityExists(entity.id) : thrown;
    }
  }

  async findById(id: string): Promise<Stored<Kept> | undefined> {
    const [row] = await this.#rows(`SELECT ${columns} FROM ${this.#table} WHERE id = $1`, [id]);
    return row && stored(row);
  }

  async findByCriteria(criteria: Criteria<Kept>, options?: PageOptions<Kept>): Promise<Page<Stored<Kept>>> {
    const query = queryOf(this.#options.fields ?? {}, criteria, options);
    const { text, values } = sqlOf(query);
    const rows = await this.#rows(`SELECT ${columns} FROM ${this.#table} ${text}`, values);
    const items = rows.slice(0, query.limit).map(stored);
    const last = items.at(-1)?.entity;
    if (rows.length <= query.limit || last === undefined) return { items, next: undefined };
    return { items, next: nextOf({ value: valueOf(last, query.orderBy.field), id: last.id }) };
  }

  async update(entity: Kept, version: number): Promise<Stored<Kept>> {
    const [row] = await this.#rows(
      `UPDATE ${this.#table} SET body = $2::jsonb, version = version + 1, updated_at = clock_timestamp()
         WHERE id = $1 AND version = $3 RETURNING ${columns}`,
      [entity.id, JSON.stringify(entity), version],
    );
    if (row !== undefined) return stored(row);
    throw await this.#refusal(entity.id, version);
  }

  async delete(id: string, version?: number): Promise<boolean> {
    const deleted = await this.#sql.execute(
      `DELETE FROM ${this.#table} WHERE id = $1 AND ($2::bigint IS NULL OR version = $2)`,
      [id, version ?? null],
    );
    if (deleted === 1) return true;
    const found = version === undefined ? undefined : await this.findById(id);
    if (found === undefined) return false;
    throw staleVersion(id, version, found.version);
  }

  transaction<T>(work: (repository: Repository<Kept>) => Promise<T>): Promise<T> {
    const { pool } = this.#options;
    if (this.#sql !== pool) return work(this);
    return pool.transaction((sql) => work(this.within(sql)));
  }

  #rows(text: string, values: Parameters<Sql['query']>[1]): Promise<readonly Row<Kept>[]> {
    return this.#sql.query<Row<Kept>>(text, values);
  }

  async #refusal(id: string, version: number): Promise<HeddleError> {
    const found = await this.findById(id);
    return found === undefined ? noSuchEntity(id) : staleVersion(id, version, found.version);
  }
}

function stored<Kept extends Entity>(row: Row<Kept>): Stored<Kept> {
  return { entity: row.body, version: row.version, createdAt: row.created_at, updatedAt: row.updated_at };
}

import { HeddleError } from '@heddle/kernel';
import { type Migration, migrate, type SqlPool } from '@heddle/sql';
import {
  compatibilities,
  type Compatibility,
  incompatibilities,
  type SchemaDocument,
} from './compatibility.ts';

/** One version of a schema. */
export interface RegisteredSchema {
  /** Of the schema: what `Message.schema` says. */
  readonly name: string;
  /** From 1, without gaps. */
  readonly version: number;
  readonly document: SchemaDocument;
  /** What it was checked for, against the versions before. */
  readonly compatibility: Compatibility;
  readonly registeredAt: Date;
}

const migrations: readonly Migration[] = [
  {
    id: '0001-schemas',
    sql: `
      CREATE TABLE heddle_message_schemas (
        name text COLLATE "C" NOT NULL,
        version integer NOT NULL,
        document jsonb NOT NULL,
        compatibility text NOT NULL,
        registered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (name, version)
      );`,
  },
];

const nameRule = /^[A-Za-z][A-Za-z0-9._-]{0,119}$/;

/** The schemas of messages, and their versions, in a database. A version never changes and never goes. */
export class SqlSchemaRegistry {
  readonly #pool: SqlPool;

  constructor(pool: SqlPool) {
    this.#pool = pool;
  }

  /** Makes the table. */
  async prepare(): Promise<void> {
    await migrate(this.#pool, 'heddle_message_schemas', migrations);
  }

  /**
   * Registers a schema as the next version, or finds the newest to be the same: for the start of every process that sends.
   * Rejects with `failed_precondition` / `INCOMPATIBLE_SCHEMA` with all that stands in the way of reading, in the direction
   * asked for (default `full`), against every version before: messages of all of them may still be there.
   */
  async register(
    name: string,
    document: SchemaDocument,
    compatibility: Compatibility = 'full',
  ): Promise<RegisteredSchema> {
    check(name, document, compatibility);
    return this.#pool.transaction(async (sql) => {
      // One at a time, so that two do not become the same version.
      await sql.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`heddle schema ${name}`]);
      const known = await sql.query<RegisteredSchema>(`${select} WHERE name = $1 ORDER BY version`, [name]);
      const text = JSON.stringify(document);
      const [row] = await sql.query<{ same: boolean }>('SELECT $1::jsonb = $2::jsonb AS same', [
        JSON.stringify(known.at(-1)?.document ?? null),
        text,
      ]);
      const newest = known.at(-1);
      if (newest !== undefined && row?.same === true) return newest;
      const problems = known.flatMap(({ version, document: before }) =>
        incompatibilities(before, document, compatibility).map((problem) => `version ${version}: ${problem}`),
      );
      if (problems.length > 0) throw incompatible(name, problems);
      const [made] = await sql.query<RegisteredSchema>(
        `INSERT INTO heddle_message_schemas (name, version, document, compatibility) VALUES ($1, $2, $3, $4)
           RETURNING ${columns}`,
        [name, known.length + 1, text, compatibility],
      );
      return made as RegisteredSchema;
    });
  }

  /** All versions, the oldest first; empty for a name that nobody has registered. */
  versions(name: string): Promise<readonly RegisteredSchema[]> {
    return this.#pool.query<RegisteredSchema>(`${select} WHERE name = $1 ORDER BY version`, [name]);
  }

  /** The newest version of each, by name. */
  newest(): Promise<readonly RegisteredSchema[]> {
    return this.#pool.query<RegisteredSchema>(
      `SELECT DISTINCT ON (name) ${columns} FROM heddle_message_schemas ORDER BY name, version DESC`,
    );
  }
}

const columns = 'name, version, document, compatibility, registered_at AS "registeredAt"';
const select = `SELECT ${columns} FROM heddle_message_schemas`;

function check(name: string, document: unknown, compatibility: string): void {
  const problems: string[] = [];
  if (!nameRule.test(name))
    problems.push(
      `name: expected 1 to 120 letters, digits, ".", "-" and "_", beginning with a letter, found ${name}`,
    );
  if (
    typeof document !== 'boolean' &&
    (typeof document !== 'object' || document === null || Array.isArray(document))
  )
    problems.push(`document: expected a JSON Schema, found ${JSON.stringify(document)}`);
  if (!compatibilities.some((each) => each === compatibility))
    problems.push(`compatibility: expected ${compatibilities.join(', ')}, found ${compatibility}`);
  if (problems.length === 0) return;
  const message = `the schema cannot be registered: ${problems.join('; ')}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_SCHEMA', message, sent: false });
}

function incompatible(name: string, problems: readonly string[]): HeddleError {
  const message = `schema ${name} would break who sends or reads it: ${problems.join('; ')}`;
  return new HeddleError({
    code: 'failed_precondition',
    reason: 'INCOMPATIBLE_SCHEMA',
    message,
    sent: false,
  });
}

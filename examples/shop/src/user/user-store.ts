import { type Migration, type Sql, type SqlPool, violationOf } from '@heddle/sql';
import { HeddleError } from '@heddle/kernel';
import { catalogUsers } from '../catalog/catalog.ts';
import { fillOnce } from '../fill-once.ts';
import { notFound } from '../fields.ts';
import type { User } from './user.ts';

/** The schema of the user service's own database. */
export const userMigrations: readonly Migration[] = [
  {
    id: '0001-users',
    sql: `CREATE TABLE users (
      user_id text PRIMARY KEY,
      name text NOT NULL,
      email text NOT NULL CONSTRAINT users_email UNIQUE,
      street text NOT NULL,
      postcode text NOT NULL,
      city text NOT NULL,
      country text NOT NULL,
      -- Of the request that made the user, so that its repetition finds the same one.
      idempotency_key text CONSTRAINT users_idempotency_key UNIQUE,
      created_at timestamptz NOT NULL DEFAULT now()
    )`,
  },
];

/** Puts the generated people into an empty table. */
export function fillUsers(pool: SqlPool, seed: number): Promise<boolean> {
  return fillOnce(pool, 'users', async (sql) => {
    const users = catalogUsers(seed);
    const columns = ['userId', 'name', 'email', 'street', 'postcode', 'city', 'country'] as const;
    await sql.execute(
      `INSERT INTO users (user_id, name, email, street, postcode, city, country)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])`,
      columns.map((column) => users.map((user) => user[column])),
    );
  });
}

interface UserRow {
  readonly user_id: string;
  readonly name: string;
  readonly email: string;
  readonly street: string;
  readonly postcode: string;
  readonly city: string;
  readonly country: string;
}

const columns = 'user_id, name, email, street, postcode, city, country';

/** Rejects with `NO_SUCH_USER`. */
export async function findUser(sql: Sql, userId: string): Promise<User> {
  const [row] = await sql.query<UserRow>(`SELECT ${columns} FROM users WHERE user_id = $1`, [userId]);
  if (row === undefined) throw notFound('NO_SUCH_USER', `there is no user ${userId}`);
  return userOf(row);
}

/** The user of that key if there is one already; otherwise the new one. Rejects with `EMAIL_TAKEN`. */
export async function addUser(
  sql: Sql,
  user: User,
  key: string | undefined,
): Promise<{ user: User; created: boolean }> {
  const { userId, name, email, address } = user;
  const values = [
    userId,
    name,
    email,
    address.street,
    address.postcode,
    address.city,
    address.country,
    key ?? null,
  ];
  try {
    await sql.execute(
      `INSERT INTO users (${columns}, idempotency_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      values,
    );
    return { user, created: true };
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    if (!error.is('already_exists', 'UNIQUE_VIOLATION')) throw error;
    // Which of the two rules fires first is the server's choice: ask by key before blaming the address.
    const [row] = await sql.query<UserRow>(`SELECT ${columns} FROM users WHERE idempotency_key = $1`, [
      key ?? null,
    ]);
    if (row !== undefined) return { user: userOf(row), created: false };
    if (violationOf(error)?.constraint !== 'users_email') throw error;
    throw error.with({ reason: 'EMAIL_TAKEN', message: 'another user has this e-mail address' });
  }
}

function userOf({ user_id, name, email, street, postcode, city, country }: UserRow): User {
  return { userId: user_id, name, email, address: { street, postcode, city, country } };
}

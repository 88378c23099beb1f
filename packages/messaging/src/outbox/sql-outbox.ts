import { type Migration, migrate, type Sql, type SqlListener, type SqlPool } from '@heddle/sql';
import { type Attributes, fromAttributes, toAttributes } from '../message/cloud-event.ts';
import type { Message } from '../message/message.ts';
import type { OutboxEntry, OutboxStore } from './outbox.ts';

/** What an outbox in SQL is made from. */
export interface SqlOutboxOptions {
  /** The database with the sender's own tables. */
  readonly pool: SqlPool;
  /** `sqlListener(url, 'heddle_outbox', runtime)` of the same database, so that the relay need not wait for its next look. */
  readonly listener?: SqlListener;
}

const migrations: readonly Migration[] = [
  {
    id: '0001-outbox',
    sql: `
      CREATE TABLE heddle_outbox (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL,
        attributes json NOT NULL,
        payload bytea NOT NULL,
        parked text
      );`,
  },
];

interface Row {
  readonly number: number;
  readonly topic: string;
  readonly attributes: Attributes;
  readonly payload: Uint8Array;
}

/**
 * An outbox in the sender's database. Rows are deleted when they were sent, and there is no cursor: one that commits
 * late is not passed over. Who relays holds a lock of its transaction: it goes with the process, however that ends.
 */
export class SqlOutbox implements OutboxStore<Sql> {
  readonly #pool: SqlPool;
  readonly #listener: SqlListener | undefined;

  constructor({ pool, listener }: SqlOutboxOptions) {
    this.#pool = pool;
    this.#listener = listener;
  }

  /** Makes the table. */
  async prepare(): Promise<void> {
    await migrate(this.#pool, 'heddle_outbox', migrations);
  }

  transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
    return this.#pool.transaction(work);
  }

  async add(sql: Sql, messages: readonly Message[]): Promise<void> {
    await sql.execute(
      `INSERT INTO heddle_outbox (topic, attributes, payload)
         SELECT topic, attributes::json, payload
           FROM unnest($1::text[], $2::text[], $3::bytea[]) WITH ORDINALITY AS given (topic, attributes, payload, ordinal)
           ORDER BY ordinal`,
      [
        messages.map(({ topic }) => topic),
        messages.map((message) => JSON.stringify(toAttributes(message))),
        messages.map(({ payload }) => payload),
      ],
    );
    if (this.#listener !== undefined) await sql.query("SELECT pg_notify('heddle_outbox', '')");
  }

  relay(
    most: number,
    send: (entries: readonly OutboxEntry[]) => Promise<readonly number[]>,
  ): Promise<number> {
    return this.#pool.transaction(async (sql) => {
      const [lock] = await sql.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock(7241, 3) AS mine');
      if (lock?.mine !== true) return 0;
      const rows = await sql.query<Row>(
        `SELECT number, topic, attributes, payload FROM heddle_outbox WHERE parked IS NULL ORDER BY number LIMIT $1`,
        [most],
      );
      if (rows.length === 0) return 0;
      const sent = await send(rows.map(entryOf));
      await sql.execute('DELETE FROM heddle_outbox WHERE number = ANY ($1::bigint[])', [sent]);
      return sent.length;
    });
  }

  async park(number: number, reason: string): Promise<void> {
    await this.#pool.execute('UPDATE heddle_outbox SET parked = $2 WHERE number = $1', [number, reason]);
  }

  onAdd(listener: () => void): () => void {
    return this.#listener?.on(listener) ?? (() => {});
  }
}

function entryOf({ number, topic, attributes, payload }: Row): OutboxEntry {
  return { number, message: fromAttributes(topic, attributes, payload) };
}

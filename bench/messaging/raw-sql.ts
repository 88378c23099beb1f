// REF: one durable single-row INSERT per commit on one connection, and the same table read back.
import pg from 'pg';
import type { Databases } from './databases.ts';
import { type Contender, medianLatency, perSecond } from './rounds.ts';

/** What travels: an order of about 0.4 KB. */
export const order: string = JSON.stringify({
  id: 'order-000001',
  customer: 'customer-42',
  lines: Array.from({ length: 5 }, (_, line) => ({
    sku: `sku-${line}-abcdef`,
    count: line + 1,
    cents: 1999,
  })),
  address: 'Weberstrasse 7, 8004 Zürich',
  note: 'leave it at the door, please',
});

const table = `CREATE TABLE raw_events (
  position bigserial PRIMARY KEY, stream text NOT NULL, version bigint NOT NULL, type text NOT NULL, data jsonb NOT NULL,
  UNIQUE (stream, version))`;
const insert = 'INSERT INTO raw_events (stream, version, type, data) VALUES ($1, $2, $3, $4)';

/** Inserts, one commit each. */
export function rawInsert(databases: Databases): Contender {
  return {
    name: 'raw-insert',
    open: async () => {
      const client = await connected(databases);
      let version = 0;
      return {
        turn: (ms) => perSecond(ms, 1, () => client.query(insert, ['s', ++version, 'order.placed', order])),
        close: () => client.end(),
      };
    },
  };
}

/** How long one such insert takes: less than that no durable publish can. */
export function rawInsertLatency(databases: Databases): Contender {
  return {
    name: 'raw-insert',
    open: async () => {
      const client = await connected(databases);
      let version = 0;
      const once = async (): Promise<void> => {
        await client.query(insert, ['s', ++version, 'order.placed', order]);
      };
      return { turn: (ms) => medianLatency(ms, once), close: () => client.end() };
    },
  };
}

/** Reads 500 rows at a time, by position. */
export function rawSelect(databases: Databases, rows: number): Contender {
  return {
    name: 'raw-select',
    open: async () => {
      const client = await connected(databases);
      await client.query(
        `INSERT INTO raw_events (stream, version, type, data) SELECT 's', n, 'order.placed', $1 FROM generate_series(1, $2::int) AS n`,
        [order, rows],
      );
      let after = 0;
      const page = async (): Promise<void> => {
        const found = await client.query<{ position: string }>(
          'SELECT position, stream, version, type, data FROM raw_events WHERE position > $1 ORDER BY position LIMIT 500',
          [after],
        );
        after = found.rows.length < 500 ? 0 : Number(found.rows.at(-1)?.position);
      };
      return { turn: (ms) => perSecond(ms, 500, page), close: () => client.end() };
    },
  };
}

async function connected(databases: Databases): Promise<pg.Client> {
  const client = new pg.Client(await databases.database());
  await client.connect();
  await client.query(table);
  return client;
}

import type { Migration, Sql, SqlPool } from '@heddle/sql';
import { catalogProducts } from '../catalog/catalog.ts';
import { fillOnce } from '../fill-once.ts';
import { refused } from '../fields.ts';
import { type Line, mergedLines, requireAvailable } from './allocation.ts';

/** The schema of the inventory service's own database. */
export const inventoryMigrations: readonly Migration[] = [
  {
    id: '0001-stock',
    sql: `CREATE TABLE stock (
      product_id text PRIMARY KEY,
      available integer NOT NULL CONSTRAINT never_negative CHECK (available >= 0)
    );
    -- One row per order that ever asked. A release that comes first leaves its row too: the late reserve meets it.
    CREATE TABLE reservations (
      order_id text PRIMARY KEY,
      state text NOT NULL CHECK (state IN ('reserved', 'released')),
      created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE reservation_lines (
      order_id text NOT NULL REFERENCES reservations,
      product_id text NOT NULL REFERENCES stock,
      quantity integer NOT NULL CHECK (quantity > 0),
      PRIMARY KEY (order_id, product_id)
    );`,
  },
];

/** Puts the generated stock into an empty table. */
export function fillStock(pool: SqlPool, seed: number): Promise<boolean> {
  return fillOnce(pool, 'stock', async (sql) => {
    const products = catalogProducts(seed);
    await sql.execute(
      'INSERT INTO stock (product_id, available) SELECT * FROM unnest($1::text[], $2::int[])',
      [products.map((each) => each.productId), products.map((each) => each.stock)],
    );
  });
}

/** What can be ordered, by product; nothing for products that are not kept. */
export async function availableOf(
  sql: Sql,
  productIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  return stockRows(sql, 'SELECT product_id, available FROM stock WHERE product_id = ANY ($1)', productIds);
}

/** All lines or none; the same again for an order that has them. Rejects with `OUT_OF_STOCK`, `RESERVATION_RELEASED`. */
export async function reserve(pool: SqlPool, orderId: string, asked: readonly Line[]): Promise<void> {
  await pool.transaction((sql) => reserveIn(sql, orderId, asked), { attempts: 3 });
}

/** As `reserve`, in a transaction of the caller's. */
export async function reserveIn(sql: Sql, orderId: string, asked: readonly Line[]): Promise<void> {
  const lines = mergedLines(asked);
  if (!(await claimOrder(sql, orderId, 'reserved'))) return requireReserved(sql, orderId);
  const productIds = lines.map((line) => line.productId);
  const locked =
    'SELECT product_id, available FROM stock WHERE product_id = ANY ($1) ORDER BY product_id FOR UPDATE';
  requireAvailable(lines, await stockRows(sql, locked, productIds));
  const values = [productIds, lines.map((line) => line.quantity)];
  await sql.execute(
    `UPDATE stock SET available = available - quantity
       FROM unnest($1::text[], $2::int[]) AS lines (id, quantity) WHERE product_id = lines.id`,
    values,
  );
  await sql.execute(
    `INSERT INTO reservation_lines (order_id, product_id, quantity)
     SELECT $3, * FROM unnest($1::text[], $2::int[])`,
    [...values, orderId],
  );
}

/** Puts back what the order has, once. Returns whether there was something to put back. */
export function release(pool: SqlPool, orderId: string): Promise<boolean> {
  return pool.transaction((sql) => releaseIn(sql, orderId), { attempts: 3 });
}

/** As `release`, in a transaction of the caller's. */
export async function releaseIn(sql: Sql, orderId: string): Promise<boolean> {
  if (await claimOrder(sql, orderId, 'released')) return false;
  const changed = await sql.execute(
    "UPDATE reservations SET state = 'released' WHERE order_id = $1 AND state = 'reserved'",
    [orderId],
  );
  if (changed === 0) return false;
  await sql.query(
    `SELECT 1 FROM stock WHERE product_id IN (SELECT product_id FROM reservation_lines WHERE order_id = $1)
      ORDER BY product_id FOR UPDATE`,
    [orderId],
  );
  await sql.execute(
    `UPDATE stock SET available = available + quantity
       FROM reservation_lines AS lines WHERE stock.product_id = lines.product_id AND lines.order_id = $1`,
    [orderId],
  );
  return true;
}

/** True for the first who asks about this order; a second one waits here until the first has committed. */
async function claimOrder(sql: Sql, orderId: string, state: 'reserved' | 'released'): Promise<boolean> {
  const insert =
    'INSERT INTO reservations (order_id, state) VALUES ($1, $2) ON CONFLICT (order_id) DO NOTHING';
  return (await sql.execute(insert, [orderId, state])) === 1;
}

async function requireReserved(sql: Sql, orderId: string): Promise<void> {
  const [row] = await sql.query<{ state: string }>('SELECT state FROM reservations WHERE order_id = $1', [
    orderId,
  ]);
  if (row?.state === 'reserved') return;
  throw refused('RESERVATION_RELEASED', `the reservation of order ${orderId} has been released for good`);
}

async function stockRows(
  sql: Sql,
  text: string,
  productIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await sql.query<{ product_id: string; available: number }>(text, [productIds]);
  return new Map(rows.map((row) => [row.product_id, row.available]));
}

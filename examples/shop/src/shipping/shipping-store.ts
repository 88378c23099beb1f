import type { Migration, Sql } from '@heddle/sql';
import { notFound, refused } from '../fields.ts';

/** The schema of the shipping service's own database. */
export const shippingMigrations: readonly Migration[] = [
  {
    id: '0001-shipments',
    sql: `CREATE TABLE shipments (
      order_id text PRIMARY KEY,
      tracking_code text NOT NULL UNIQUE,
      recipient text NOT NULL,
      destination text NOT NULL,
      weight_grams integer NOT NULL,
      days integer NOT NULL,
      state text NOT NULL CHECK (state IN ('created', 'cancelled')),
      created_at timestamptz NOT NULL DEFAULT now()
    )`,
  },
];

/** A parcel on its way, or called off. */
export interface Shipment {
  readonly orderId: string;
  readonly trackingCode: string;
  readonly recipient: string;
  /** In one line, for people. */
  readonly destination: string;
  readonly weightGrams: number;
  readonly days: number;
  readonly state: 'created' | 'cancelled';
}

interface ShipmentRow {
  readonly order_id: string;
  readonly tracking_code: string;
  readonly recipient: string;
  readonly destination: string;
  readonly weight_grams: number;
  readonly days: number;
  readonly state: 'created' | 'cancelled';
}

/** The order's shipment: this one, or the one it has. Rejects with `SHIPMENT_CANCELLED`. */
export async function ship(sql: Sql, wanted: Shipment): Promise<Shipment> {
  if (await insert(sql, wanted)) return wanted;
  const found = await findShipment(sql, wanted.orderId);
  if (found.state === 'created') return found;
  throw refused('SHIPMENT_CANCELLED', `the shipment of order ${wanted.orderId} has been called off for good`);
}

/** Calls the order's shipment off, once; one that is not there yet never will be. Returns whether there was one. */
export async function cancelShipment(sql: Sql, orderId: string, trackingCode: string): Promise<boolean> {
  const none = { orderId, trackingCode, recipient: '', destination: '', weightGrams: 0, days: 0 };
  if (await insert(sql, { ...none, state: 'cancelled' })) return false;
  const update = "UPDATE shipments SET state = 'cancelled' WHERE order_id = $1 AND state = 'created'";
  return (await sql.execute(update, [orderId])) === 1;
}

/** Rejects with `NO_SUCH_SHIPMENT`. */
export async function findShipment(sql: Sql, orderId: string): Promise<Shipment> {
  const [row] = await sql.query<ShipmentRow>('SELECT * FROM shipments WHERE order_id = $1', [orderId]);
  if (row === undefined) throw notFound('NO_SUCH_SHIPMENT', `order ${orderId} has no shipment`);
  const {
    order_id,
    tracking_code: trackingCode,
    recipient,
    destination,
    weight_grams: weightGrams,
    days,
    state,
  } = row;
  return { orderId: order_id, trackingCode, recipient, destination, weightGrams, days, state };
}

async function insert(sql: Sql, shipment: Shipment): Promise<boolean> {
  const { orderId, trackingCode, recipient, destination, weightGrams, days, state } = shipment;
  const inserted = await sql.execute(
    `INSERT INTO shipments (order_id, tracking_code, recipient, destination, weight_grams, days, state)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (order_id) DO NOTHING`,
    [orderId, trackingCode, recipient, destination, weightGrams, days, state],
  );
  return inserted === 1;
}

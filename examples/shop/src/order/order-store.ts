import type { Migration, Sql } from '@heddle/sql';
import { HeddleError } from '@heddle/kernel';
import { notFound } from '../fields.ts';
import {
  type Order,
  type OrderRequest,
  type OrderState,
  type Pricing,
  placed,
  sameRequest,
  totalMinor,
} from './order.ts';

/** The schema of the order service's own database. */
export const orderMigrations: readonly Migration[] = [
  {
    id: '0001-orders',
    sql: `CREATE TABLE orders (
      order_id text PRIMARY KEY,
      -- Of the request that placed the order: who sends it again gets this order.
      idempotency_key text CONSTRAINT orders_idempotency_key UNIQUE,
      user_id text NOT NULL,
      request jsonb NOT NULL,
      state text NOT NULL CHECK (state IN ('placed', 'priced', 'reserved', 'paid', 'confirmed', 'cancelling', 'rejected')),
      pricing jsonb,
      -- Copied out of the pricing, for sums.
      total_minor bigint,
      payment_id text,
      tracking_code text,
      notified boolean NOT NULL,
      reason text,
      version integer NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      -- When somebody last took it in hand; see claimStale.
      touched_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX orders_unfinished ON orders (touched_at)
      WHERE state NOT IN ('confirmed', 'rejected') OR (state = 'confirmed' AND NOT notified);
    CREATE INDEX orders_user ON orders (user_id, created_at);`,
  },
];

interface OrderRow {
  readonly order_id: string;
  readonly request: OrderRequest;
  readonly state: OrderState;
  readonly pricing: Pricing | null;
  readonly payment_id: string | null;
  readonly tracking_code: string | null;
  readonly notified: boolean;
  readonly reason: string | null;
  readonly version: number;
}

const columns = 'order_id, request, state, pricing, payment_id, tracking_code, notified, reason, version';

/**
 * The order of that key: a new one, or the one that is there. Rejects with `IDEMPOTENCY_KEY_REUSED` if the key
 * came with another request before (as draft-ietf-httpapi-idempotency-key-header asks for).
 */
export async function placeOrder(
  sql: Sql,
  orderId: string,
  request: OrderRequest,
  key?: string,
): Promise<Order> {
  const order = placed(orderId, request);
  const inserted = await sql.execute(
    `INSERT INTO orders (order_id, idempotency_key, user_id, request, state, notified, version)
     VALUES ($1, $2, $3, $4, $5, false, $6) ON CONFLICT (idempotency_key) DO NOTHING`,
    [orderId, key ?? null, request.userId, JSON.stringify(request), order.state, order.version],
  );
  if (inserted === 1) return order;
  const [row] = await sql.query<OrderRow>(`SELECT ${columns} FROM orders WHERE idempotency_key = $1`, [
    key ?? null,
  ]);
  if (row === undefined) throw notFound('NO_SUCH_ORDER', 'the order of this idempotency key is gone');
  if (sameRequest(row.request, request)) return orderOf(row);
  const message = 'this idempotency-key came with a different order before; use a new key for a new order';
  throw new HeddleError({ code: 'invalid_argument', reason: 'IDEMPOTENCY_KEY_REUSED', message });
}

/** Rejects with `NO_SUCH_ORDER`. */
export async function findOrder(sql: Sql, orderId: string): Promise<Order> {
  const [row] = await sql.query<OrderRow>(`SELECT ${columns} FROM orders WHERE order_id = $1`, [orderId]);
  if (row === undefined) throw notFound('NO_SUCH_ORDER', `there is no order ${orderId}`);
  return orderOf(row);
}

/** Writes the order if nobody has since its last version. False: somebody was faster, read it again. */
export async function saveOrder(sql: Sql, order: Order): Promise<boolean> {
  const { orderId, state, pricing, paymentId, trackingCode, notified, reason, version } = order;
  const written = await sql.execute(
    `UPDATE orders SET state = $3, pricing = $4, total_minor = $5, payment_id = $6, tracking_code = $7,
            notified = $8, reason = $9, version = $2, touched_at = now()
      WHERE order_id = $1 AND version = $2 - 1`,
    [
      orderId,
      version,
      state,
      pricing === undefined ? null : JSON.stringify(pricing),
      pricing === undefined ? null : totalMinor(pricing),
      paymentId ?? null,
      trackingCode ?? null,
      notified,
      reason ?? null,
    ],
  );
  return written === 1;
}

/** An unfinished order that nobody works on, and its age. */
export interface StaleOrder {
  readonly order: Order;
  readonly ageMs: number;
}

/** Takes up to 20 unfinished orders in hand that nobody has touched for `idleMs`; other instances pass over them. */
export async function claimStale(sql: Sql, idleMs: number): Promise<readonly StaleOrder[]> {
  const rows = await sql.query<OrderRow & { age_ms: number }>(
    `UPDATE orders SET touched_at = now() WHERE order_id IN (
       SELECT order_id FROM orders
        WHERE (state NOT IN ('confirmed', 'rejected') OR (state = 'confirmed' AND NOT notified))
          AND touched_at < now() - $1 * interval '1 millisecond'
        ORDER BY touched_at LIMIT 20 FOR UPDATE SKIP LOCKED)
     RETURNING ${columns}, floor(extract(epoch FROM now() - created_at) * 1000)::bigint AS age_ms`,
    [idleMs],
  );
  return rows.map((row) => ({ order: orderOf(row), ageMs: row.age_ms }));
}

function orderOf(row: OrderRow): Order {
  const {
    order_id: orderId,
    request,
    state,
    pricing,
    payment_id,
    tracking_code,
    notified,
    reason,
    version,
  } = row;
  return {
    orderId,
    request,
    state,
    notified,
    version,
    ...(pricing !== null && { pricing }),
    ...(payment_id !== null && { paymentId: payment_id }),
    ...(tracking_code !== null && { trackingCode: tracking_code }),
    ...(reason !== null && { reason }),
  };
}

import type { Migration, Sql } from '@heddle/sql';
import { notFound } from '../fields.ts';
import { type Charge, decide, declined, type Payment, type PaymentState, repeated } from './charge.ts';

/** The schema of the payment service's own database. */
export const paymentMigrations: readonly Migration[] = [
  {
    id: '0001-payments',
    sql: `CREATE TABLE payments (
      order_id text PRIMARY KEY,
      payment_id text NOT NULL UNIQUE,
      user_id text NOT NULL,
      currency text NOT NULL,
      amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
      method text NOT NULL,
      state text NOT NULL CHECK (state IN ('charged', 'declined', 'refunded', 'voided')),
      created_at timestamptz NOT NULL DEFAULT now()
    )`,
  },
];

interface PaymentRow {
  readonly order_id: string;
  readonly payment_id: string;
  readonly user_id: string;
  readonly currency: string;
  readonly amount_minor: number;
  readonly method: string;
  readonly state: PaymentState;
}

/** Charges the order once; `paymentId` is for the first time. Returns the id that counts. Rejects as the contract says. */
export async function charge(sql: Sql, asked: Charge, paymentId: string): Promise<string> {
  const verdict = decide(asked);
  if (await insert(sql, { ...asked, paymentId, state: verdict })) {
    // A decline is kept too: the same order is told the same for ever.
    if (verdict === 'declined') throw declined(asked);
    return paymentId;
  }
  return repeated(await findPayment(sql, asked.orderId), asked);
}

/** Gives back what the order paid, once; an order that has not paid yet never will. Returns whether money went back. */
export async function refund(sql: Sql, orderId: string, paymentId: string): Promise<boolean> {
  const nothing = { orderId, paymentId, userId: '', currency: '', amountMinor: 0, method: '' };
  if (await insert(sql, { ...nothing, state: 'voided' })) return false;
  const update = "UPDATE payments SET state = 'refunded' WHERE order_id = $1 AND state = 'charged'";
  return (await sql.execute(update, [orderId])) === 1;
}

/** Rejects with `NO_SUCH_PAYMENT`. */
export async function findPayment(sql: Sql, orderId: string): Promise<Payment> {
  const [row] = await sql.query<PaymentRow>(
    'SELECT order_id, payment_id, user_id, currency, amount_minor, method, state FROM payments WHERE order_id = $1',
    [orderId],
  );
  if (row === undefined) throw notFound('NO_SUCH_PAYMENT', `order ${orderId} has no payment`);
  const {
    order_id,
    payment_id: paymentId,
    user_id: userId,
    currency,
    amount_minor: amountMinor,
    method,
    state,
  } = row;
  return { orderId: order_id, paymentId, userId, currency, amountMinor, method, state };
}

/** False if the order has a payment; one that is just being made is waited for. */
async function insert(sql: Sql, payment: Payment): Promise<boolean> {
  const { orderId, paymentId, userId, currency, amountMinor, method, state } = payment;
  const inserted = await sql.execute(
    `INSERT INTO payments (order_id, payment_id, user_id, currency, amount_minor, method, state)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (order_id) DO NOTHING`,
    [orderId, paymentId, userId, currency, amountMinor, method, state],
  );
  return inserted === 1;
}

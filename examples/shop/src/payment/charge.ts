import { refused } from '../fields.ts';

/** Most that one order may cost, in cents: what a bank would call the card's limit. */
export const limitMinor = 500_000;

/** What an order is to pay. */
export interface Charge {
  readonly orderId: string;
  readonly userId: string;
  readonly currency: string;
  readonly amountMinor: number;
  readonly method: string;
}

/** Where the payment of an order stands. `voided`: called off before it was charged. */
export type PaymentState = 'charged' | 'declined' | 'refunded' | 'voided';

/** A payment as it is kept. */
export interface Payment extends Charge {
  readonly paymentId: string;
  readonly state: PaymentState;
}

/** What the bank says to a first charge. */
export function decide(charge: Charge): 'charged' | 'declined' {
  return charge.method === 'card-declined' || charge.amountMinor > limitMinor ? 'declined' : 'charged';
}

/** What a charge that meets a payment of its order is told: the id if it has happened, the reason if it will not. */
export function repeated(payment: Payment, charge: Charge): string {
  switch (payment.state) {
    case 'charged':
      if (payment.amountMinor === charge.amountMinor && payment.currency === charge.currency)
        return payment.paymentId;
      throw refused('PAYMENT_DIFFERS', `order ${charge.orderId} has paid another amount already`);
    case 'declined':
      throw declined(charge);
    case 'refunded':
    case 'voided':
      throw refused('PAYMENT_VOIDED', `the payment of order ${charge.orderId} has been called off for good`);
  }
}

/** `failed_precondition` / `PAYMENT_DECLINED`. */
export function declined({ orderId, method }: Charge): Error {
  return refused('PAYMENT_DECLINED', `the payment of order ${orderId} by ${method} was declined`);
}

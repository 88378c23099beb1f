import { HeddleError } from '@heddle/kernel';
import { integerOf, invalid, type Json, listOf, objectOf, textOf } from '../fields.ts';

/**
 * How far an order has got. Each state says what is *known to be done*; the next step may have been begun by
 * a process that then died. That is safe because every step does its work once per order, and undoing covers every
 * step, whether it was done or not.
 *
 *     placed → priced → reserved → paid → confirmed
 *        └────────┴─────────┴────────┴──→ cancelling → rejected
 */
export type OrderState = 'placed' | 'priced' | 'reserved' | 'paid' | 'confirmed' | 'cancelling' | 'rejected';

/** What is done next for an order. */
export type Step = 'price' | 'reserve' | 'charge' | 'ship' | 'notify' | 'undo';

/** What the customer asked for. */
export interface OrderRequest {
  readonly userId: string;
  readonly method: string;
  readonly items: readonly { readonly productId: string; readonly quantity: number }[];
}

/** One product of an order, with the price that was promised. */
export interface OrderLine {
  readonly productId: string;
  readonly name: string;
  readonly quantity: number;
  readonly unitMinor: number;
}

/** What is known once the order is priced. */
export interface Pricing {
  readonly lines: readonly OrderLine[];
  readonly shippingMinor: number;
  readonly weightGrams: number;
  readonly currency: string;
  readonly recipient: Recipient;
}

/** Who gets the parcel. */
export interface Recipient {
  readonly name: string;
  readonly street: string;
  readonly postcode: string;
  readonly city: string;
  readonly country: string;
}

/** An order as it is kept. */
export interface Order {
  readonly orderId: string;
  readonly request: OrderRequest;
  readonly state: OrderState;
  readonly pricing?: Pricing;
  readonly paymentId?: string;
  readonly trackingCode?: string;
  /** The customer has been written to. */
  readonly notified: boolean;
  /** Why it is or will be rejected. */
  readonly reason?: string;
  /** Grows by one with each change: who writes over a newer version has lost. */
  readonly version: number;
}

/** What came of a step. */
export type OrderEvent =
  | { readonly kind: 'priced'; readonly pricing: Pricing }
  | { readonly kind: 'reserved' }
  | { readonly kind: 'charged'; readonly paymentId: string }
  | { readonly kind: 'shipped'; readonly trackingCode: string }
  | { readonly kind: 'notified' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'undone' };

const mostOfOne = 100;

/** Reads what `POST /orders` brings: 1 to 20 items of 1 to 100. Rejects with `INVALID_FIELD`. */
export function orderRequest(body: Json): OrderRequest {
  const items = listOf(body, 'items', 20).map((value, index) => {
    const item = objectOf(value, `items[${index}]`);
    return { productId: textOf(item, 'productId', 60), quantity: integerOf(item, 'quantity', 1, mostOfOne) };
  });
  if (new Set(items.map((item) => item.productId)).size < items.length) {
    throw invalid('items must name each product once; add the quantities up');
  }
  const method = body['method'] === undefined ? 'card' : textOf(body, 'method', 40);
  return { userId: textOf(body, 'userId', 60), method, items };
}

/** A new order, of which nothing is done yet. */
export function placed(orderId: string, request: OrderRequest): Order {
  return { orderId, request, state: 'placed', notified: false, version: 0 };
}

/** What to do next; undefined when there is nothing left. */
export function nextStep(order: Order): Step | undefined {
  switch (order.state) {
    case 'placed':
      return 'price';
    case 'priced':
      return 'reserve';
    case 'reserved':
      return 'charge';
    case 'paid':
      return 'ship';
    case 'confirmed':
      return order.notified ? undefined : 'notify';
    case 'cancelling':
      return 'undo';
    case 'rejected':
      return undefined;
  }
}

/** The order after the event. Throws `OUT_OF_TURN` for one that its state does not wait for. */
export function evolve(order: Order, event: OrderEvent): Order {
  const next = { ...order, version: order.version + 1 };
  const { state } = order;
  if (event.kind === 'priced' && state === 'placed')
    return { ...next, state: 'priced', pricing: event.pricing };
  if (event.kind === 'reserved' && state === 'priced') return { ...next, state: 'reserved' };
  if (event.kind === 'charged' && state === 'reserved')
    return { ...next, state: 'paid', paymentId: event.paymentId };
  if (event.kind === 'shipped' && state === 'paid') {
    return { ...next, state: 'confirmed', trackingCode: event.trackingCode };
  }
  if (event.kind === 'notified' && state === 'confirmed') return { ...next, notified: true };
  if (event.kind === 'refused' && isUnderWay(order))
    return { ...next, state: 'cancelling', reason: event.reason };
  if (event.kind === 'undone' && state === 'cancelling') return { ...next, state: 'rejected' };
  const message = `order ${order.orderId} is ${state}, so it cannot become ${event.kind}`;
  throw new HeddleError({ code: 'internal', reason: 'OUT_OF_TURN', message });
}

/** True while it can still be called off. */
export function isUnderWay({ state }: Order): boolean {
  return state === 'placed' || state === 'priced' || state === 'reserved' || state === 'paid';
}

/** What the customer pays in all, in the smallest unit; exact, since all parts are whole numbers. */
export function totalMinor({ lines, shippingMinor }: Pricing): number {
  return lines.reduce((sum, line) => sum + line.quantity * line.unitMinor, shippingMinor);
}

/** True when two requests ask for the same: the test for a key that is used again. */
export function sameRequest(a: OrderRequest, b: OrderRequest): boolean {
  return canonical(a) === canonical(b);
}

function canonical({ userId, method, items }: OrderRequest): string {
  const sorted = items.toSorted((a, b) => (a.productId < b.productId ? -1 : 1));
  return JSON.stringify([userId, method, sorted.map(({ productId, quantity }) => [productId, quantity])]);
}

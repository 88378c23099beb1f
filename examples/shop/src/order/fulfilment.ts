import type { SqlPool } from '@heddle/sql';
import { type Call, callLog, HeddleError } from '@heddle/kernel';
import {
  evolve,
  isUnderWay,
  nextStep,
  type Order,
  type OrderEvent,
  type Pricing,
  type Step,
} from './order.ts';
import { findOrder, saveOrder } from './order-store.ts';

/** The services that an order needs. Each does its work once per order, however often it is asked. */
export interface Partners {
  /** user, product and shipping: what it costs and where it goes. */
  readonly price: (order: Order, call: Call) => Promise<Pricing>;
  readonly reserve: (order: Order, call: Call) => Promise<void>;
  /** Returns the payment's id. */
  readonly charge: (order: Order, pricing: Pricing, call: Call) => Promise<string>;
  /** Returns the tracking code. */
  readonly ship: (order: Order, pricing: Pricing, call: Call) => Promise<string>;
  readonly notify: (order: Order, pricing: Pricing, call: Call) => Promise<void>;
  /** Each calls one of them off, whether it happened or not; it cannot happen afterwards. */
  readonly release: (order: Order, call: Call) => Promise<void>;
  readonly refund: (order: Order, call: Call) => Promise<void>;
  readonly cancelShipment: (order: Order, call: Call) => Promise<void>;
  /** Calls off shipment, payment and reservation, in this order. */
  readonly undo: (order: Order, call: Call) => Promise<void>;
}

/**
 * Takes an order as far as it goes: does the next step, writes down what came of it, and so on. Two may work on one
 * order at the same time: the steps happen once all the same, and who finds the order changed goes on from there.
 *
 * A partner that says no for good (`failed_precondition`, `not_found` …) makes the order be undone and rejected, which
 * is a result. A partner that cannot be reached rejects with its error and leaves the order where it is: asking again
 * with the same key, or the sweep, goes on from there. A confirmed order is a result even if the customer could not be
 * told; the sweep tells them later.
 *
 * The steps are durable, the process that walks them is not: between a crash and the sweep an order stands still.
 */
export async function advance(order: Order, partners: Partners, pool: SqlPool, call: Call): Promise<Order> {
  let current = order;
  for (;;) {
    const step = nextStep(current);
    if (step === undefined) return current;
    let event: OrderEvent;
    try {
      event = await take(step, current, partners, call);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (step === 'notify') {
        callLog(call)('warn', 'a customer could not be told of an order', {
          order: current.orderId,
          error: error.message,
        });
        return current;
      }
      if (!isRefusal(error) || !isUnderWay(current)) throw error;
      event = { kind: 'refused', reason: error.reason };
    }
    current = await record(current, event, pool);
  }
}

/** Writes the order after the event, or reads what somebody else made of it meanwhile. */
export async function record(order: Order, event: OrderEvent, pool: SqlPool): Promise<Order> {
  const next = evolve(order, event);
  return (await saveOrder(pool, next)) ? next : findOrder(pool, order.orderId);
}

async function take(step: Step, order: Order, partners: Partners, call: Call): Promise<OrderEvent> {
  switch (step) {
    case 'price':
      return { kind: 'priced', pricing: await partners.price(order, call) };
    case 'reserve':
      await partners.reserve(order, call);
      return { kind: 'reserved' };
    case 'charge':
      return { kind: 'charged', paymentId: await partners.charge(order, pricingOf(order), call) };
    case 'ship':
      return { kind: 'shipped', trackingCode: await partners.ship(order, pricingOf(order), call) };
    case 'notify':
      await partners.notify(order, pricingOf(order), call);
      return { kind: 'notified' };
    case 'undo':
      await partners.undo(order, call);
      return { kind: 'undone' };
  }
}

/** A no that would be said again. All else may pass: the network, an overload, a mistake that is being repaired. */
function isRefusal({ code }: HeddleError): boolean {
  return (
    code === 'failed_precondition' ||
    code === 'not_found' ||
    code === 'invalid_argument' ||
    code === 'already_exists'
  );
}

function pricingOf(order: Order): Pricing {
  if (order.pricing !== undefined) return order.pricing;
  const message = `order ${order.orderId} is ${order.state} but has no prices`;
  throw new HeddleError({ code: 'data_loss', reason: 'ORDER_WITHOUT_PRICES', message });
}

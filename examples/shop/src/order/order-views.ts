import type { MessageInitShape } from '@bufbuild/protobuf';
import { type OrderSchema, OrderState } from '../gen/shop/order/v1/order_pb.ts';
import { money } from '../money.ts';
import { type Order, totalMinor } from './order.ts';

/** An order as the HTTP API shows it. `state` is one of `OrderState`; a rejected one has a `reason`. */
export function shownOrder({
  orderId,
  request,
  state,
  pricing,
  paymentId,
  trackingCode,
  reason,
}: Order): object {
  const shown = (minor: number): object => ({ currency: pricing?.currency, minor });
  const priced = pricing && {
    lines: pricing.lines.map(({ unitMinor, ...line }) => ({ ...line, unit: shown(unitMinor) })),
    shipping: shown(pricing.shippingMinor),
    total: shown(totalMinor(pricing)),
  };
  return {
    orderId,
    userId: request.userId,
    state,
    reason,
    items: request.items,
    ...priced,
    paymentId,
    trackingCode,
  };
}

/** An order as its contract has it. */
export function orderMessage({
  orderId,
  request,
  state,
  pricing,
  reason = '',
}: Order): MessageInitShape<typeof OrderSchema> {
  const total = pricing && money(totalMinor(pricing), pricing.currency);
  const message = { orderId, userId: request.userId, state: stateOf(state), reason };
  return total === undefined ? message : { ...message, total };
}

function stateOf(state: Order['state']): OrderState {
  if (state === 'confirmed') return OrderState.CONFIRMED;
  return state === 'rejected' ? OrderState.REJECTED : OrderState.PENDING;
}

import { type Call, HeddleError, perform } from '@heddle/kernel';
import type { Client } from '@connectrpc/connect';
import { within } from '@heddle/rpc';
import { Fields, type HttpRequest, wholeBody } from '@heddle/wire';
import { currency } from '../catalog/catalog.ts';
import { notFound } from '../fields.ts';
import { InventoryService } from '../gen/shop/inventory/v1/inventory_pb.ts';
import { PaymentService } from '../gen/shop/payment/v1/payment_pb.ts';
import { ProductService } from '../gen/shop/product/v1/product_pb.ts';
import { ShippingService } from '../gen/shop/shipping/v1/shipping_pb.ts';
import { UserService } from '../gen/shop/user/v1/user_pb.ts';
import { minorOf, money } from '../money.ts';
import type { Surroundings } from '../service.ts';
import type { Partners } from './fulfilment.ts';
import { type Order, type Pricing, totalMinor } from './order.ts';

/** The partners of an order over the network: five by gRPC, the notification service by HTTP. */
export function networkPartners({ rpc, http }: Pick<Surroundings, 'rpc' | 'http'>): Partners {
  const users = rpc('user', UserService);
  const products = rpc('product', ProductService);
  const inventory = rpc('inventory', InventoryService);
  const payments = rpc('payment', PaymentService);
  const shipping = rpc('shipping', ShippingService);
  const notifications = http('notification');

  const off = callOff({ inventory, payments, shipping });

  return {
    ...off,

    async price({ request }, call) {
      const productIds = request.items.map((item) => item.productId);
      const [{ user }, { products: found, missing }] = await Promise.all([
        users.getUser({ userId: request.userId }, within(call)),
        products.getProducts({ productIds }, within(call)),
      ]);
      if (missing.length > 0) throw notFound('NO_SUCH_PRODUCT', `there is no product ${missing.join(', ')}`);
      if (user?.address === undefined) throw incomplete('user');
      const byId = new Map(found.map((each) => [each.productId, each]));
      const lines = request.items.map(({ productId, quantity }) => {
        const product = byId.get(productId);
        if (product === undefined) throw incomplete('product');
        return { productId, quantity, name: product.name, unitMinor: minorOf(product.price) };
      });
      const weightGrams = request.items.reduce(
        (sum, { productId, quantity }) => sum + quantity * (byId.get(productId)?.weightGrams ?? 0),
        0,
      );
      const { street, postcode, city, country } = user.address;
      const { cost } = await shipping.quote({ country, weightGrams }, within(call));
      const recipient = { name: user.name, street, postcode, city, country };
      return { lines, shippingMinor: minorOf(cost), weightGrams, currency, recipient };
    },

    async reserve({ orderId, request }, call) {
      await inventory.reserve({ orderId, lines: request.items.map((item) => ({ ...item })) }, within(call));
    },

    async charge({ orderId, request }, pricing, call) {
      const amount = money(totalMinor(pricing), pricing.currency);
      const { paymentId } = await payments.charge(
        { orderId, userId: request.userId, method: request.method, amount },
        within(call),
      );
      return paymentId;
    },

    async ship({ orderId }, { recipient, weightGrams }, call) {
      const { name, ...address } = recipient;
      const { trackingCode } = await shipping.createShipment(
        { orderId, recipient: name, ...address, weightGrams },
        within(call),
      );
      return trackingCode;
    },

    async notify(order, pricing, call) {
      const child = call.child(call.runtime.clock.nowMs() + 2000);
      const response = await perform(notifications, letter(order, pricing), child);
      response.body.cancel();
      if (response.status < 300) return;
      const message = `the notification service answered with ${response.status}`;
      throw new HeddleError({ code: 'unavailable', reason: 'NOT_NOTIFIED', message });
    },

    async undo(order, call) {
      // The parcel first: once it is off, nothing leaves the house that is not paid for.
      await off.cancelShipment(order, call);
      await Promise.all([off.refund(order, call), off.release(order, call)]);
    },
  };
}

interface Undoing {
  readonly inventory: Client<typeof InventoryService>;
  readonly payments: Client<typeof PaymentService>;
  readonly shipping: Client<typeof ShippingService>;
}

/** What takes back the steps of an order, one by one. */
function callOff({
  inventory,
  payments,
  shipping,
}: Undoing): Pick<Partners, 'release' | 'refund' | 'cancelShipment'> {
  return {
    async release({ orderId }: Order, call: Call) {
      await inventory.release({ orderId }, within(call));
    },

    async refund({ orderId }: Order, call: Call) {
      await payments.refund({ orderId }, within(call));
    },

    async cancelShipment({ orderId }: Order, call: Call) {
      await shipping.cancelShipment({ orderId }, within(call));
    },
  };
}

function letter({ orderId, request, trackingCode = '' }: Order, pricing: Pricing): HttpRequest {
  const total = `${pricing.currency} ${(totalMinor(pricing) / 100).toFixed(2)}`;
  const body = { userId: request.userId, orderId, name: pricing.recipient.name, total, trackingCode };
  return {
    method: 'POST',
    scheme: 'http',
    authority: '',
    path: '/notifications',
    fields: Fields.of({ 'content-type': 'application/json', 'idempotency-key': `${orderId}-confirmed` }),
    body: wholeBody(new TextEncoder().encode(JSON.stringify(body))),
  };
}

function incomplete(service: string): HeddleError {
  const message = `the ${service} service answered without a part that its contract promises`;
  return new HeddleError({ code: 'internal', reason: 'INCOMPLETE_ANSWER', message });
}

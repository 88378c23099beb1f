import { idempotencyKey } from '@heddle/kernel';
import { OrderService } from '../gen/shop/order/v1/order_pb.ts';
import { httpApi } from '../http-api.ts';
import { runShopService } from '../service.ts';
import { advance } from './fulfilment.ts';
import { orderRequest } from './order.ts';
import { orderMessage, shownOrder } from './order-views.ts';
import { findOrder, orderMigrations, placeOrder } from './order-store.ts';
import { networkPartners } from './partners.ts';
import { sweep } from './sweep.ts';

await runShopService({
  name: 'order',
  migrations: orderMigrations,
  compose: ({ pool, runtime, rpc, http }) => {
    const partners = networkPartners({ rpc, http });
    return {
      rpc: (router) =>
        router.service(OrderService, {
          getOrder: async ({ orderId }) => ({ order: orderMessage(await findOrder(pool, orderId)) }),
        }),
      http: httpApi({
        'POST /orders': async ({ call, json }) => {
          const request = orderRequest(await json());
          const order = await placeOrder(
            pool,
            `o-${runtime.random.uuid()}`,
            request,
            call.get(idempotencyKey),
          );
          const reached = await advance(order, partners, pool, call);
          return { status: reached.state === 'confirmed' ? 201 : 409, body: shownOrder(reached) };
        },
        'GET /orders/{orderId}': async ({ parameters }) => ({
          status: 200,
          body: shownOrder(await findOrder(pool, parameters['orderId'] ?? '')),
        }),
      }),
      parts: [sweep({ runtime, pool, partners })],
    };
  },
});

import { idempotencyKey } from '@heddle/kernel';
import { notFound } from '../fields.ts';
import { OrderService } from '../gen/shop/order/v1/order_pb.ts';
import { CoordinatorService } from '../gen/shop/tx/v1/tx_pb.ts';
import { httpApi } from '../http-api.ts';
import { runShopService } from '../service.ts';
import { networkBranches } from './branches.ts';
import { Checkout } from './checkout.ts';
import { advance } from './fulfilment.ts';
import { orderRequest } from './order.ts';
import { orderMessage, shownOrder } from './order-views.ts';
import { findOrder, orderMigrations, placeOrder } from './order-store.ts';
import { networkPartners } from './partners.ts';
import { sweep } from './sweep.ts';

await runShopService({
  name: 'order',
  migrations: orderMigrations,
  compose: ({ pool, runtime, rpc, http, config, metrics }) => {
    const partners = networkPartners({ rpc, http });
    const { checkout: kind, databaseUrl: url } = config;
    const checkout =
      kind === 'steps'
        ? undefined
        : new Checkout({
            runtime,
            pool,
            url,
            kind,
            partners,
            branches: networkBranches(rpc),
            measures: metrics.sagas,
          });
    return {
      rpc: (router) => {
        router.service(OrderService, {
          getOrder: async ({ orderId }) => ({ order: orderMessage(await findOrder(pool, orderId)) }),
        });
        router.service(CoordinatorService, {
          getDecision: async ({ tx }) => {
            if (checkout?.coordinator === undefined)
              throw notFound('NO_COORDINATOR', `nobody coordinates ${tx}`);
            return { decision: await checkout.coordinator.decisionOf(tx) };
          },
        });
      },
      http: httpApi({
        'POST /orders': async ({ call, json }) => {
          const request = orderRequest(await json());
          const key = call.get(idempotencyKey);
          const reached =
            checkout === undefined
              ? await advance(
                  await placeOrder(pool, `o-${runtime.random.uuid()}`, request, key),
                  partners,
                  pool,
                  call,
                )
              : await checkout.place(request, key, call);
          return { status: reached.state === 'confirmed' ? 201 : 409, body: shownOrder(reached) };
        },
        'GET /orders/{orderId}': async ({ parameters }) => ({
          status: 200,
          body: shownOrder(await findOrder(pool, parameters['orderId'] ?? '')),
        }),
      }),
      parts: checkout?.parts ?? [sweep({ runtime, pool, partners })],
    };
  },
});

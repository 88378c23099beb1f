import { currency } from '../catalog/catalog.ts';
import { invalid } from '../fields.ts';
import { PaymentService } from '../gen/shop/payment/v1/payment_pb.ts';
import { httpApi } from '../http-api.ts';
import { minorOf } from '../money.ts';
import { type BranchPayload, chargeOf } from '../order/checkout.ts';
import { participation } from '../participation.ts';
import { runShopService } from '../service.ts';
import { charge, findPayment, paymentMigrations, refund } from './payment-store.ts';

await runShopService({
  name: 'payment',
  migrations: paymentMigrations,
  compose: ({ pool, runtime, rpc, config }) => {
    const newId = (): string => `pay-${runtime.random.uuid()}`;
    const inTransactions = participation<BranchPayload>(
      'payment',
      { pool, runtime, rpc, config },
      {
        take: (sql, payload) => charge(sql, chargeOf(payload), newId()),
        giveBack: (sql, { orderId }) => refund(sql, orderId, newId()),
      },
    );
    return {
      parts: inTransactions.parts,
      rpc: (router) => {
        inTransactions.rpc(router);
        router.service(PaymentService, {
          charge: async ({ orderId, userId, amount, method }) => {
            if (orderId === '') throw invalid('a charge has an order_id');
            const asked = { orderId, userId, currency, amountMinor: minorOf(amount), method };
            return { paymentId: await charge(pool, asked, newId()) };
          },
          refund: async ({ orderId }) => ({ refunded: await refund(pool, orderId, newId()) }),
        });
      },
      http: httpApi({
        'GET /payments/{orderId}': async ({ parameters }) => {
          const { orderId, paymentId, state, amountMinor } = await findPayment(
            pool,
            parameters['orderId'] ?? '',
          );
          return {
            status: 200,
            body: { orderId, paymentId, state, amount: { currency, minor: amountMinor } },
          };
        },
      }),
    };
  },
});

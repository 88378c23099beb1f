import { ShippingService } from '../gen/shop/shipping/v1/shipping_pb.ts';
import { httpApi } from '../http-api.ts';
import { money } from '../money.ts';
import type { BranchPayload } from '../order/checkout.ts';
import { participation } from '../participation.ts';
import { runShopService } from '../service.ts';
import { quote } from './rates.ts';
import { cancelShipment, findShipment, ship, shippingMigrations } from './shipping-store.ts';

await runShopService({
  name: 'shipping',
  migrations: shippingMigrations,
  compose: ({ pool, runtime, rpc, config }) => {
    const newCode = (): string => `HD${runtime.random.uuid().replaceAll('-', '').slice(0, 18).toUpperCase()}`;
    const inTransactions = participation<BranchPayload>(
      'shipping',
      { pool, runtime, rpc, config },
      {
        take: (sql, { orderId, pricing: { recipient, weightGrams } }) => {
          const { name, street, postcode, city, country } = recipient;
          const destination = `${street}, ${postcode} ${city}, ${country}`;
          const { days } = quote(country, weightGrams);
          const parcel = {
            orderId,
            trackingCode: newCode(),
            recipient: name,
            destination,
            weightGrams,
            days,
          };
          return ship(sql, { ...parcel, state: 'created' });
        },
        giveBack: (sql, { orderId }) => cancelShipment(sql, orderId, newCode()),
      },
    );
    return {
      parts: inTransactions.parts,
      rpc: (router) => {
        inTransactions.rpc(router);
        router.service(ShippingService, {
          quote: async ({ country, weightGrams }) => ({
            cost: money(quote(country, weightGrams).costMinor),
          }),
          createShipment: async ({ orderId, recipient, street, postcode, city, country, weightGrams }) => {
            const destination = `${street}, ${postcode} ${city}, ${country}`;
            const { days } = quote(country, weightGrams);
            const parcel = { orderId, trackingCode: newCode(), recipient, destination, weightGrams, days };
            const made = await ship(pool, { ...parcel, state: 'created' });
            return { trackingCode: made.trackingCode, days: made.days };
          },
          cancelShipment: async ({ orderId }) => ({
            cancelled: await cancelShipment(pool, orderId, newCode()),
          }),
        });
      },
      http: httpApi({
        'GET /shipments/{orderId}': async ({ parameters }) => ({
          status: 200,
          body: await findShipment(pool, parameters['orderId'] ?? ''),
        }),
      }),
    };
  },
});

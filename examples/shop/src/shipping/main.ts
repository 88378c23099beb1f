import { ShippingService } from '../gen/shop/shipping/v1/shipping_pb.ts';
import { httpApi } from '../http-api.ts';
import { money } from '../money.ts';
import { runShopService } from '../service.ts';
import { quote } from './rates.ts';
import { cancelShipment, findShipment, ship, shippingMigrations } from './shipping-store.ts';

await runShopService({
  name: 'shipping',
  migrations: shippingMigrations,
  compose: ({ pool, runtime }) => {
    const newCode = (): string => `HD${runtime.random.uuid().replaceAll('-', '').slice(0, 18).toUpperCase()}`;
    return {
      rpc: (router) =>
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
        }),
      http: httpApi({
        'GET /shipments/{orderId}': async ({ parameters }) => ({
          status: 200,
          body: await findShipment(pool, parameters['orderId'] ?? ''),
        }),
      }),
    };
  },
});

import { invalid } from '../fields.ts';
import { InventoryService } from '../gen/shop/inventory/v1/inventory_pb.ts';
import { httpApi } from '../http-api.ts';
import type { BranchPayload } from '../order/checkout.ts';
import { participation } from '../participation.ts';
import { runShopService } from '../service.ts';
import {
  availableOf,
  fillStock,
  inventoryMigrations,
  release,
  releaseIn,
  reserve,
  reserveIn,
} from './inventory-store.ts';

const mostIds = 100;

await runShopService({
  name: 'inventory',
  migrations: inventoryMigrations,
  fill: fillStock,
  compose: ({ pool, runtime, rpc, config }) => {
    const inTransactions = participation<BranchPayload>(
      'inventory',
      { pool, runtime, rpc, config },
      {
        take: (sql, { orderId, request }) => reserveIn(sql, orderId, request.items),
        giveBack: (sql, { orderId }) => releaseIn(sql, orderId),
      },
    );
    return {
      parts: inTransactions.parts,
      rpc: (router) => {
        inTransactions.rpc(router);
        router.service(InventoryService, {
          getStock: async ({ productIds }) => {
            if (productIds.length > mostIds) throw invalid(`product_ids must be at most ${mostIds}`);
            const available = await availableOf(pool, productIds);
            return {
              stock: productIds.map((productId) => ({ productId, available: available.get(productId) ?? 0 })),
            };
          },
          reserve: async ({ orderId, lines }) => {
            if (orderId === '' || lines.length === 0 || lines.length > mostIds) {
              throw invalid(`a reservation has an order_id and 1 to ${mostIds} lines`);
            }
            await reserve(pool, orderId, lines);
            return {};
          },
          release: async ({ orderId }) => ({ released: await release(pool, orderId) }),
        });
      },
      http: httpApi({
        'GET /stock/{productId}': async ({ parameters }) => {
          const productId = parameters['productId'] ?? '';
          return {
            status: 200,
            body: { productId, available: (await availableOf(pool, [productId])).get(productId) ?? 0 },
          };
        },
      }),
    };
  },
});

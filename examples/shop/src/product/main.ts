import { within } from '@heddle/rpc';
import { currency } from '../catalog/catalog.ts';
import { invalid, notFound } from '../fields.ts';
import { InventoryService } from '../gen/shop/inventory/v1/inventory_pb.ts';
import { ProductService } from '../gen/shop/product/v1/product_pb.ts';
import { httpApi } from '../http-api.ts';
import { money } from '../money.ts';
import { runShopService } from '../service.ts';
import { listingOf, type Product } from './product.ts';
import { fillProducts, findProducts, listProducts, productMigrations } from './product-store.ts';

const mostIds = 100;

await runShopService({
  name: 'product',
  migrations: productMigrations,
  fill: fillProducts,
  compose: ({ pool, rpc }) => {
    const inventory = rpc('inventory', InventoryService);
    return {
      rpc: (router) =>
        router.service(ProductService, {
          getProducts: async ({ productIds }) => {
            if (productIds.length > mostIds) throw invalid(`product_ids must be at most ${mostIds}`);
            const found = await findProducts(pool, productIds);
            const known = new Set(found.map((each) => each.productId));
            return {
              products: found.map(({ priceMinor, ...each }) => ({ ...each, price: money(priceMinor) })),
              missing: productIds.filter((id) => !known.has(id)),
            };
          },
        }),
      http: httpApi({
        'GET /products': async ({ query }) => {
          const listing = listingOf(query);
          const { products, total } = await listProducts(pool, listing);
          return {
            status: 200,
            body: { page: listing.page, size: listing.size, total, products: products.map(priced) },
          };
        },
        'GET /products/{productId}': async ({ call, parameters }) => {
          const productId = parameters['productId'] ?? '';
          const [product] = await findProducts(pool, [productId]);
          if (product === undefined) throw notFound('NO_SUCH_PRODUCT', `there is no product ${productId}`);
          // A page without the stock is better than none: null says that it is not known now.
          const stock = await inventory
            .getStock({ productIds: [productId] }, { ...within(call), timeoutMs: 1000 })
            .then(
              (answer) => answer.stock[0]?.available ?? 0,
              () => null,
            );
          return { status: 200, body: { ...priced(product), available: stock } };
        },
      }),
    };
  },
});

/** With the price as the HTTP API shows it. */
function priced({
  priceMinor,
  ...product
}: Product): Omit<Product, 'priceMinor'> & { price: { currency: string; minor: number } } {
  return { ...product, price: { currency, minor: priceMinor } };
}

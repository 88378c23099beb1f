import type { Migration, Sql, SqlPool } from '@heddle/sql';
import { catalogProducts } from '../catalog/catalog.ts';
import { fillOnce } from '../fill-once.ts';
import type { Listing, Product, ProductPage } from './product.ts';

/** The schema of the product service's own database. */
export const productMigrations: readonly Migration[] = [
  {
    id: '0001-products',
    sql: `CREATE TABLE products (
      product_id text PRIMARY KEY,
      name text NOT NULL,
      category text NOT NULL,
      price_minor bigint NOT NULL CHECK (price_minor > 0),
      weight_grams integer NOT NULL CHECK (weight_grams > 0),
      words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('english', name || ' ' || category)) STORED
    );
    CREATE INDEX products_words ON products USING gin (words);
    CREATE INDEX products_category ON products (category, product_id);`,
  },
];

/** Puts the generated products into an empty table. */
export function fillProducts(pool: SqlPool, seed: number): Promise<boolean> {
  return fillOnce(pool, 'products', async (sql) => {
    const products = catalogProducts(seed);
    await sql.execute(
      `INSERT INTO products (product_id, name, category, price_minor, weight_grams)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::int[])`,
      [
        products.map((each) => each.productId),
        products.map((each) => each.name),
        products.map((each) => each.category),
        products.map((each) => each.priceMinor),
        products.map((each) => each.weightGrams),
      ],
    );
    await sql.execute('ANALYZE products');
  });
}

interface ProductRow {
  readonly product_id: string;
  readonly name: string;
  readonly category: string;
  readonly price_minor: number;
  readonly weight_grams: number;
}

const columns = 'product_id, name, category, price_minor, weight_grams';
const matches = `($1::text IS NULL OR words @@ websearch_to_tsquery('english', $1)) AND ($2::text IS NULL OR category = $2)`;

/** One page in the order of the ids. */
export async function listProducts(sql: Sql, { query, category, page, size }: Listing): Promise<ProductPage> {
  const filter = [query ?? null, category ?? null];
  const rows = await sql.query<ProductRow>(
    `SELECT ${columns} FROM products WHERE ${matches} ORDER BY product_id LIMIT $3 OFFSET $4`,
    [...filter, size, (page - 1) * size],
  );
  const [count] = await sql.query<{ total: number }>(
    `SELECT count(*) AS total FROM products WHERE ${matches}`,
    filter,
  );
  return { products: rows.map(productOf), total: count?.total ?? 0 };
}

/** Those of the ids that there are, in any order. */
export async function findProducts(sql: Sql, productIds: readonly string[]): Promise<readonly Product[]> {
  const rows = await sql.query<ProductRow>(`SELECT ${columns} FROM products WHERE product_id = ANY ($1)`, [
    productIds,
  ]);
  return rows.map(productOf);
}

function productOf(row: ProductRow): Product {
  const { product_id: productId, name, category, price_minor: priceMinor, weight_grams: weightGrams } = row;
  return { productId, name, category, priceMinor, weightGrams };
}

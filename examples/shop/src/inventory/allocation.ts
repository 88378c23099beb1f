import { invalid, refused } from '../fields.ts';

/** So much of one product. */
export interface Line {
  readonly productId: string;
  readonly quantity: number;
}

/** One line per product, in the order of the ids (in which all transactions lock them, so that none waits in a ring). */
export function mergedLines(lines: readonly Line[]): readonly Line[] {
  const quantities = new Map<string, number>();
  for (const { productId, quantity } of lines) {
    if (!Number.isInteger(quantity) || quantity < 1)
      throw invalid(`the quantity of ${productId} must be a whole number above 0`);
    quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  }
  const merged = [...quantities].map(([productId, quantity]) => ({ productId, quantity }));
  return merged.toSorted((a, b) => (a.productId < b.productId ? -1 : 1));
}

/** Throws `OUT_OF_STOCK`, naming what is short, unless all lines can be served. Products not in `available` have none. */
export function requireAvailable(lines: readonly Line[], available: ReadonlyMap<string, number>): void {
  const short = lines.filter(({ productId, quantity }) => (available.get(productId) ?? 0) < quantity);
  if (short.length === 0) return;
  const found = short.map(
    ({ productId, quantity }) => `${productId}: ${available.get(productId) ?? 0} of ${quantity}`,
  );
  throw refused('OUT_OF_STOCK', `there is not enough of ${found.join(', ')}`);
}

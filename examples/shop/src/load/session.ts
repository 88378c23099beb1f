import { type Random, type Runtime, sleep } from '@heddle/kernel';
import { userCount, userIdAt } from '../catalog/catalog.ts';
import { kinds } from '../catalog/words.ts';
import type { ShopAnswer, ShopClient } from './shop-client.ts';
import type { Tally } from './tally.ts';

/** What a visitor is made from. */
export interface SessionOptions {
  readonly client: ShopClient;
  readonly runtime: Runtime;
  /** Decides all that the visitor does. */
  readonly random: Random;
  readonly tally: Tally;
  /** How long the visitor looks at a page, on average, in milliseconds. */
  readonly thinkMs: number;
  /** True once everybody should leave: no new page is asked for. */
  readonly closing: () => boolean;
}

const orderAttempts = 4;

/** One visit: look around, look at a few products, perhaps order some of them, and look at the order. */
export async function session(options: SessionOptions): Promise<void> {
  const { random, client, closing } = options;
  const seen = await browse(options);
  if (closing() || seen.length === 0) return;
  const basket = await viewSome(options, seen);
  if (closing() || basket.length === 0 || random.float() > 0.4) return;
  const orderId = await order(options, basket);
  if (closing() || orderId === undefined) return;
  await think(options);
  await client.get(`/orders/${orderId}`);
}

/** One to three lists: the shop window, a category or a search. Returns the ids of the last that had any. */
async function browse(options: SessionOptions): Promise<readonly string[]> {
  const { random, client, closing } = options;
  let found: readonly string[] = [];
  for (let left = 1 + Math.floor(random.float() * 3); left > 0 && !closing(); left -= 1) {
    const answer = await client.get(`/products?${listing(random)}`);
    const ids = productIds(answer);
    if (ids.length > 0) found = ids;
    await think(options);
  }
  return found;
}

function listing(random: Random): string {
  const kind = pick(random, kinds);
  const chance = random.float();
  if (chance < 0.3) return `page=${1 + Math.floor(random.float() ** 2 * 40)}`;
  if (chance < 0.6) return `category=${kind.category}&page=${1 + Math.floor(random.float() * 5)}`;
  const words = `${pick(random, kind.qualities)} ${pick(random, kind.nouns)}`;
  return `query=${encodeURIComponent(words.toLowerCase())}`;
}

/** Looks at up to four products; returns those that can be ordered. */
async function viewSome(options: SessionOptions, seen: readonly string[]): Promise<readonly string[]> {
  const { random, client, closing } = options;
  const wanted = new Set(
    Array.from({ length: 1 + Math.floor(random.float() * 4) }, () => pick(random, seen)),
  );
  const basket: string[] = [];
  for (const productId of wanted) {
    if (closing()) break;
    const answer = await client.get(`/products/${productId}`);
    const available = answer?.body['available'];
    // Null: the stock is not known now; the order will tell.
    if (answer?.status === 200 && (available === null || Number(available) > 5)) basket.push(productId);
    await think(options);
  }
  return basket;
}

/** Orders, and asks again under the same key when no answer or a 5xx comes. Returns the id of a confirmed order. */
async function order(options: SessionOptions, basket: readonly string[]): Promise<string | undefined> {
  const { random, client, runtime, tally } = options;
  const items = basket.map((productId) => ({ productId, quantity: 1 + Math.floor(random.float() * 3) }));
  const content = { userId: userIdAt(Math.floor(random.float() * userCount)), items };
  const key = random.uuid();
  for (let attempt = 1; attempt <= orderAttempts; attempt += 1) {
    const answer = await client.post('/orders', content, key);
    if (answer !== undefined && answer.status < 500) {
      const confirmed = answer.status === 201;
      const reason = answer.body['reason'];
      tally.order(confirmed ? 'confirmed' : typeof reason === 'string' ? reason : `HTTP_${answer.status}`);
      return confirmed ? String(answer.body['orderId']) : undefined;
    }
    if (attempt < orderAttempts) tally.orderRetried();
    await sleep(runtime.timers, 200 * 2 ** attempt * random.float());
  }
  tally.order('given_up');
  return undefined;
}

/** Exponentially distributed, as the time between the clicks of people roughly is; never over ten times the mean. */
function think({ random, runtime, thinkMs }: SessionOptions): Promise<void> {
  return sleep(runtime.timers, Math.min(10, -Math.log(1 - random.float())) * thinkMs);
}

function productIds(answer: ShopAnswer | undefined): readonly string[] {
  const products = answer?.body['products'];
  if (!Array.isArray(products)) return [];
  return (products as { productId?: unknown }[]).flatMap(({ productId }) =>
    typeof productId === 'string' ? [productId] : [],
  );
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random.float() * from.length)] as T;
}

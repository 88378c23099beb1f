// Orders against the real stores of all partners, in one process: what is on trial is the order of things under
// failures, which here are drawn from a seed. The network has its own test.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { migrate, type SqlPool } from '@heddle/sql';
import { Call, HeddleError, type Part, type Random, type Service } from '@heddle/kernel';
import type { KnownDecision } from '@heddle/data/twophase';
import { seededRandom } from '@heddle/kernel/simulated';
import type { CheckoutKind } from '../config.ts';
import { inventoryMigrations, release, releaseIn, reserve, reserveIn } from '../inventory/inventory-store.ts';
import { charge, paymentMigrations, refund } from '../payment/payment-store.ts';
import { participationOf, type Work } from '../participation.ts';
import { cancelShipment, type Shipment, ship, shippingMigrations } from '../shipping/shipping-store.ts';
import { type TestDatabases, testDatabases, testRuntime } from '../testing/databases.ts';
import { type Branch, type BranchPayload, chargeOf, Checkout, type CheckoutOptions } from './checkout.ts';
import { advance, type Partners } from './fulfilment.ts';
import { type Order, type OrderRequest, type Pricing, totalMinor } from './order.ts';
import { claimStale, orderMigrations, placeOrder } from './order-store.ts';
import { sweep } from './sweep.ts';

let databases: TestDatabases;
let orders: SqlPool;
let stock: SqlPool;
let payments: SqlPool;
let shipments: SqlPool;
let ordersUrl: string;
const shelf = 400;

before(async () => {
  databases = await testDatabases();
  const open = async (name: string, steps: Parameters<typeof migrate>[2]): Promise<SqlPool> => {
    const pool = await databases.pool(name);
    await migrate(pool, name, steps);
    return pool;
  };
  orders = await open('orders', orderMigrations);
  ordersUrl = await databases.server.createDatabase('orders');
  stock = await open('inventory', inventoryMigrations);
  payments = await open('payment', paymentMigrations);
  shipments = await open('shipping', shippingMigrations);
  await stock.execute('INSERT INTO stock VALUES ($1, $2), ($3, $4)', ['scarce', 20, 'plenty', shelf]);
});
after(() => databases.close());

/** Prices everything at 10.00 and ships it to one place. */
const pricingOf = (order: Order): Pricing => ({
  lines: order.request.items.map((item) => ({ ...item, name: item.productId, unitMinor: 1000 })),
  shippingMinor: 490,
  weightGrams: 100,
  currency: 'EUR',
  recipient: { name: 'Anna', street: 'Parkweg 1', postcode: '20999', city: 'Hamburg', country: 'DE' },
});

const parcelOf = (orderId: string): Shipment => ({
  orderId,
  trackingCode: testRuntime.random.uuid(),
  recipient: 'Anna',
  destination: 'x',
  weightGrams: 1,
  days: 2,
  state: 'created',
});

/** As on the first day. */
async function clear(): Promise<void> {
  await orders.execute('TRUNCATE orders');
  await payments.execute('TRUNCATE payments');
  await shipments.execute('TRUNCATE shipments');
  await stock.execute('TRUNCATE reservations, reservation_lines, stock');
  await stock.execute('INSERT INTO stock VALUES ($1, $2), ($3, $4)', ['scarce', 20, 'plenty', shelf]);
}

/** The partners' own stores, without a network. */
const direct: Partners = {
  price: async (order) => pricingOf(order),
  reserve: (order) => reserve(stock, order.orderId, order.request.items),
  charge: (order, pricing) => {
    const { userId, method } = order.request;
    const asked = {
      orderId: order.orderId,
      userId,
      method,
      currency: 'EUR',
      amountMinor: totalMinor(pricing),
    };
    return charge(payments, asked, testRuntime.random.uuid());
  },
  ship: async ({ orderId }) => (await ship(shipments, parcelOf(orderId))).trackingCode,
  notify: () => Promise.resolve(),
  release: async ({ orderId }) => void (await release(stock, orderId)),
  refund: async ({ orderId }) => void (await refund(payments, orderId, testRuntime.random.uuid())),
  cancelShipment: async ({ orderId }) =>
    void (await cancelShipment(shipments, orderId, testRuntime.random.uuid())),
  undo: async (order, call) => {
    await direct.cancelShipment(order, call);
    await direct.refund(order, call);
    await direct.release(order, call);
  },
};

const lost = (): HeddleError =>
  new HeddleError({ code: 'unavailable', reason: 'LOST', message: 'lost by the test' });

/** One in six requests is lost on its way there, and one in six answers on the way back. */
function lossy(random: Random): Partners {
  const over =
    <A extends unknown[], T>(work: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      if (random.float() < 1 / 6) throw lost();
      const result = await work(...args);
      if (random.float() < 1 / 6) throw lost();
      return result;
    };
  const { price, reserve: take, charge: pay, ship: send, notify, undo } = direct;
  return {
    release: over(direct.release),
    refund: over(direct.refund),
    cancelShipment: over(direct.cancelShipment),
    price: over(price),
    reserve: over(take),
    charge: over(pay),
    ship: over(send),
    notify: over(notify),
    undo: over(undo),
  };
}

const deadline = (): Call => Call.root(testRuntime);

describe('an order among partners', () => {
  test('that all answer is confirmed', async () => {
    const order = await placeOrder(orders, 'o-good', {
      userId: 'u1',
      method: 'card',
      items: [{ productId: 'plenty', quantity: 2 }],
    });
    const done = await advance(order, direct, orders, deadline());
    assert.deepEqual([done.state, done.notified, done.reason], ['confirmed', true, undefined]);
  });

  test('that is declined gives back what it reserved', async () => {
    const request = { userId: 'u1', method: 'card-declined', items: [{ productId: 'plenty', quantity: 5 }] };
    const done = await advance(await placeOrder(orders, 'o-declined', request), direct, orders, deadline());
    assert.deepEqual([done.state, done.reason], ['rejected', 'PAYMENT_DECLINED']);
    assert.deepEqual(await stock.query("SELECT state FROM reservations WHERE order_id = 'o-declined'"), [
      { state: 'released' },
    ]);
  });

  test('that cannot be shipped gives the money back', async () => {
    const no = new HeddleError({
      code: 'failed_precondition',
      reason: 'DESTINATION_NOT_SERVED',
      message: 'no',
    });
    const partners: Partners = { ...direct, ship: () => Promise.reject(no) };
    const request = { userId: 'u1', method: 'card', items: [{ productId: 'plenty', quantity: 1 }] };
    const done = await advance(await placeOrder(orders, 'o-far', request), partners, orders, deadline());
    assert.deepEqual([done.state, done.reason], ['rejected', 'DESTINATION_NOT_SERVED']);
    assert.deepEqual(await payments.query("SELECT state FROM payments WHERE order_id = 'o-far'"), [
      { state: 'refunded' },
    ]);
  });

  test('whose customer cannot be told is confirmed all the same, and waits for the sweep', async () => {
    const down = new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down' });
    const partners: Partners = { ...direct, notify: () => Promise.reject(down) };
    const request = { userId: 'u1', method: 'card', items: [{ productId: 'plenty', quantity: 1 }] };
    const done = await advance(await placeOrder(orders, 'o-quiet', request), partners, orders, deadline());
    assert.deepEqual([done.state, done.notified], ['confirmed', false]);
    assert.ok((await claimStale(orders, 0)).some(({ order }) => order.orderId === 'o-quiet'));
  });
});

/** A way to carry orders out, with partners that lose one message in three. */
interface Way {
  place(request: OrderRequest, key: string): Promise<Order>;
  /** What finishes what was left behind. */
  readonly parts: readonly Part[];
}

const ways: Readonly<Record<CheckoutKind, (random: Random) => Way>> = {
  steps: (random) => {
    const partners = lossy(random);
    return {
      place: async (request, key) => {
        const order = await placeOrder(orders, testRuntime.random.uuid(), request, key);
        return advance(order, partners, orders, deadline());
      },
      parts: [sweep({ runtime: testRuntime, pool: orders, partners, everyMs: 10, idleMs: 50 })],
    };
  },
  saga: (random) => checkoutBy('saga', random),
  tcc: (random) => checkoutBy('tcc', random),
  '2pc': (random) => checkoutBy('2pc', random),
};

function checkoutBy(kind: 'saga' | 'tcc' | '2pc', random: Random): Way {
  const work: Readonly<Record<Branch, { readonly pool: SqlPool; readonly work: Work<BranchPayload> }>> = {
    inventory: {
      pool: stock,
      work: {
        take: (sql, { orderId, request }) => reserveIn(sql, orderId, request.items),
        giveBack: (sql, { orderId }) => releaseIn(sql, orderId),
      },
    },
    payment: {
      pool: payments,
      work: {
        take: (sql, payload) => charge(sql, chargeOf(payload), testRuntime.random.uuid()),
        giveBack: (sql, { orderId }) => refund(sql, orderId, testRuntime.random.uuid()),
      },
    },
    shipping: {
      pool: shipments,
      work: {
        take: (sql, { orderId }) => ship(sql, parcelOf(orderId)),
        giveBack: (sql, { orderId }) => cancelShipment(sql, orderId, testRuntime.random.uuid()),
      },
    },
  };
  const ask = async (tx: string): Promise<KnownDecision> =>
    checkout.coordinator?.decisionOf(tx) ?? Promise.reject(new Error('nobody coordinates'));
  const taking = Object.entries(work).map(([name, { pool, work: what }]) => {
    const own = participationOf(name as Branch, { runtime: testRuntime, pool, checkout: kind }, what, ask);
    return [name, own] as const;
  });
  const branches = Object.fromEntries(
    taking.map(([name, { services }]) => [
      name,
      { tcc: lossyService(random, services.tcc), twoPhase: lossyService(random, services.twoPhase) },
    ]),
  ) as unknown as CheckoutOptions['branches'];
  const checkout = new Checkout({
    runtime: testRuntime,
    pool: orders,
    url: ordersUrl,
    kind,
    partners: lossy(random),
    branches,
    pollMs: 50,
    // On a busy machine an order may wait long for its turn.
    giveUpMs: 150_000,
  });
  return {
    place: (request, key) =>
      checkout.place(request, key, Call.root(testRuntime, testRuntime.clock.nowMs() + 60_000)),
    parts: [...taking.flatMap(([, { parts }]) => parts), ...checkout.parts],
  };
}

function lossyService<Req, Res>(random: Random, service: Service<Req, Res>): Service<Req, Res> {
  return async (request, call) => {
    if (random.float() < 1 / 6) throw lost();
    const answer = await service(request, call);
    if (random.float() < 1 / 6) throw lost();
    return answer;
  };
}

for (const [kind, wayOf] of Object.entries(ways))
  test(
    `by ${kind}: whatever gets lost, in the end money and goods are where the orders say`,
    {
      timeout: 300_000,
    },
    () => shopFor(wayOf, 100),
  );

async function shopFor(wayOf: (random: Random) => Way, count: number): Promise<void> {
  await clear();
  const seed = testRuntime.random.uint32();
  const random = seededRandom(seed);
  const way = wayOf(random);
  for (const part of way.parts) await part.start?.();
  const placed = Array.from({ length: count }, (_, n) => {
    const items = [
      { productId: 'plenty', quantity: 1 + Math.floor(random.float() * 3) },
      ...(random.float() < 0.3 ? [{ productId: 'scarce', quantity: 1 }] : []),
    ];
    const request = { userId: 'u1', method: n % 10 === 3 ? 'card-declined' : 'card', items };
    // A client that hears of a failure asks again with its key; some ask twice at the same time.
    const ask = (): Promise<Order> => way.place(request, `key-${n}`);
    return Promise.allSettled([ask(), ...(random.float() < 0.4 ? [ask()] : [])]);
  });
  await Promise.all(placed);
  const unfinished =
    "SELECT 1 FROM orders WHERE state NOT IN ('confirmed', 'rejected') OR (state = 'confirmed' AND NOT notified) LIMIT 1";
  const until = testRuntime.clock.nowMs() + 200_000;
  while ((await orders.query(unfinished)).length > 0)
    assert.ok(testRuntime.clock.nowMs() < until, `seed ${seed}: orders stand still`);
  for (const part of way.parts.toReversed()) await part.stop?.();
  assert.deepEqual(await orders.query('SELECT gid FROM pg_prepared_xacts'), []);

  const [sold] = await orders.query<{ n: number; total: number }>(
    "SELECT count(*) AS n, sum(total_minor)::bigint AS total FROM orders WHERE state = 'confirmed'",
  );
  const [paid] = await payments.query<{ n: number; total: number }>(
    "SELECT count(*) AS n, sum(amount_minor)::bigint AS total FROM payments WHERE state = 'charged'",
  );
  assert.deepEqual(paid, sold, `seed ${seed}: money`);
  const [sent] = await shipments.query<{ n: number }>(
    "SELECT count(*) AS n FROM shipments WHERE state = 'created'",
  );
  assert.equal(sent?.n, sold?.n, `seed ${seed}: parcels`);
  const goods = await orders.query<{ product_id: string; n: number }>(
    `SELECT line->>'productId' AS product_id, sum((line->>'quantity')::int) AS n
       FROM orders, jsonb_array_elements(request->'items') AS line WHERE state = 'confirmed' GROUP BY 1 ORDER BY 1`,
  );
  const reserved = await stock.query<{ product_id: string; n: number }>(
    `SELECT product_id, sum(quantity) AS n FROM reservation_lines JOIN reservations USING (order_id)
      WHERE state = 'reserved' GROUP BY 1 ORDER BY 1`,
  );
  assert.deepEqual(reserved, goods, `seed ${seed}: goods`);
  const left = await stock.query<{ product_id: string; available: number }>('SELECT * FROM stock ORDER BY 1');
  const taken = new Map(goods.map((each) => [each.product_id, each.n]));
  assert.deepEqual(
    left.map((each) => each.available + (taken.get(each.product_id) ?? 0)),
    [shelf, 20],
    `seed ${seed}: shelves`,
  );
  assert.ok((sold?.n ?? 0) >= count * 0.3, `seed ${seed}: only ${sold?.n} were confirmed`);
  assert.ok((await orders.query("SELECT 1 FROM orders WHERE state = 'rejected'")).length >= count / 10);
}

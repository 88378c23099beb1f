// Each store on a real PostgreSQL: what a unit test cannot show is what happens when two come at once.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { migrate, type SqlPool } from '@heddle/sql';
import { HeddleError } from '@heddle/kernel';
import { catalogProducts, productCount, userCount } from './catalog/catalog.ts';
import {
  availableOf,
  fillStock,
  inventoryMigrations,
  release,
  reserve,
} from './inventory/inventory-store.ts';
import { addNotice, listNotices, notificationMigrations } from './notification/notification-store.ts';
import { evolve } from './order/order.ts';
import { claimStale, findOrder, orderMigrations, placeOrder, saveOrder } from './order/order-store.ts';
import { charge, findPayment, paymentMigrations, refund } from './payment/payment-store.ts';
import { fillProducts, findProducts, listProducts, productMigrations } from './product/product-store.ts';
import { cancelShipment, type Shipment, ship, shippingMigrations } from './shipping/shipping-store.ts';
import { type TestDatabases, testDatabases, testRuntime } from './testing/databases.ts';
import { addUser, fillUsers, findUser, userMigrations } from './user/user-store.ts';

let databases: TestDatabases;
const reason = (expected: string) => (thrown: unknown) =>
  thrown instanceof HeddleError && thrown.reason === expected;
const ten = Array.from({ length: 10 }, (_, index) => index);

before(async () => {
  databases = await testDatabases();
});
after(() => databases.close());

async function migrated(name: string, steps: Parameters<typeof migrate>[2]): Promise<SqlPool> {
  const pool = await databases.pool(name);
  await migrate(pool, name, steps);
  return pool;
}

describe('at first start', () => {
  test('the catalogue is loaded once, by whoever comes first, in less than three seconds', async () => {
    const started = testRuntime.clock.nowMs();
    const [users, products, stock] = await Promise.all([
      migrated('user', userMigrations),
      migrated('product', productMigrations),
      migrated('inventory', inventoryMigrations),
    ]);
    const twice = <T>(work: () => Promise<T>): Promise<T[]> => Promise.all([work(), work()]);
    const filled = await Promise.all([
      twice(() => fillUsers(users, 1)),
      twice(() => fillProducts(products, 1)),
      twice(() => fillStock(stock, 1)),
    ]);
    const tookMs = testRuntime.clock.nowMs() - started;
    assert.deepEqual(
      filled.map((each) => each.filter((did) => did).length),
      [1, 1, 1],
    );
    assert.deepEqual(await users.query('SELECT count(*) AS n FROM users'), [{ n: userCount }]);
    assert.deepEqual(await products.query('SELECT count(*) AS n FROM products'), [{ n: productCount }]);
    assert.deepEqual(await stock.query('SELECT count(*) AS n FROM stock'), [{ n: productCount }]);
    assert.ok(tookMs < 3000, `it took ${tookMs} ms`);
  });
});

describe('user store', () => {
  const address = { street: 'Parkweg 1', postcode: '20999', city: 'Hamburg', country: 'DE' };
  const anna = { userId: 'u-anna', name: 'Anna', email: 'anna@example.com', address };

  test('adds one per key, and one per e-mail address', async () => {
    const pool = await migrated('user', userMigrations);
    const results = await Promise.all(
      ten.map((n) => addUser(pool, { ...anna, userId: `u-anna-${n}` }, 'key-1')),
    );
    assert.equal(results.filter((result) => result.created).length, 1);
    assert.equal(new Set(results.map((result) => result.user.userId)).size, 1);
    await assert.rejects(addUser(pool, anna, 'key-2'), reason('EMAIL_TAKEN'));
    await assert.rejects(addUser(pool, anna, undefined), reason('EMAIL_TAKEN'));
    assert.deepEqual((await findUser(pool, results[0]?.user.userId ?? '')).address, address);
    await assert.rejects(findUser(pool, 'nobody'), reason('NO_SUCH_USER'));
  });
});

describe('product store', () => {
  test('lists, searches and pages', async () => {
    const pool = await migrated('product', productMigrations);
    await fillProducts(pool, 1);
    const all = catalogProducts(1);
    const first = await listProducts(pool, { query: undefined, category: undefined, page: 1, size: 3 });
    assert.deepEqual(
      [first.total, first.products.map((each) => each.productId)],
      [productCount, ['p00001', 'p00002', 'p00003']],
    );
    const kettles = await listProducts(pool, {
      query: 'copper kettle',
      category: 'kitchen',
      page: 1,
      size: 100,
    });
    const expected = all.filter((each) => each.name.includes('Copper Kettle')).map((each) => each.productId);
    assert.ok(expected.length > 0);
    assert.deepEqual(
      kettles.products.map((each) => each.productId),
      expected,
    );
    assert.equal(kettles.total, expected.length);
    const odd = await listProducts(pool, {
      query: `' OR "x" -- !& (`,
      category: undefined,
      page: 1,
      size: 3,
    });
    assert.ok(odd.total < productCount);
    const { stock: _, ...wanted } = all[41] as (typeof all)[number];
    assert.deepEqual(await findProducts(pool, ['p00042', 'none']), [wanted]);
  });
});

describe('inventory store', () => {
  async function shelf(stock: Readonly<Record<string, number>>): Promise<SqlPool> {
    const pool = await migrated(`shelf_${shelves++}`, inventoryMigrations);
    await pool.execute('INSERT INTO stock SELECT * FROM unnest($1::text[], $2::int[])', [
      Object.keys(stock),
      Object.values(stock),
    ]);
    return pool;
  }
  let shelves = 0;

  test('never promises more than there is, however many ask at once, and none deadlock', async () => {
    const pool = await shelf({ a: 30, b: 30 });
    const asked = Array.from({ length: 40 }, (_, n) => {
      const lines = [
        { productId: 'a', quantity: 1 },
        { productId: 'b', quantity: 1 },
      ];
      return reserve(pool, `o${n}`, n % 2 === 0 ? lines : lines.toReversed());
    });
    const results = await Promise.allSettled(asked);
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    assert.equal(refusals.length, 10);
    assert.ok(refusals.every(reason('OUT_OF_STOCK')));
    assert.deepEqual(Object.fromEntries(await availableOf(pool, ['a', 'b', 'c'])), { a: 0, b: 0 });
    // A refused order leaves no trace: it may try again when there is stock.
    assert.deepEqual(await pool.query("SELECT count(*) AS n FROM reservations WHERE state = 'reserved'"), [
      { n: 30 },
    ]);
  });

  test('reserves and releases once per order', async () => {
    const pool = await shelf({ a: 10 });
    const lines = [{ productId: 'a', quantity: 3 }];
    await Promise.all(ten.map(() => reserve(pool, 'o1', lines)));
    assert.equal((await availableOf(pool, ['a'])).get('a'), 7);
    const released = await Promise.all(ten.map(() => release(pool, 'o1')));
    assert.equal(released.filter((did) => did).length, 1);
    assert.equal((await availableOf(pool, ['a'])).get('a'), 10);
    await assert.rejects(reserve(pool, 'o1', lines), reason('RESERVATION_RELEASED'));
  });

  test('a release that comes before the reserve keeps it out for good', async () => {
    const pool = await shelf({ a: 10 });
    assert.equal(await release(pool, 'o1'), false);
    await assert.rejects(
      reserve(pool, 'o1', [{ productId: 'a', quantity: 1 }]),
      reason('RESERVATION_RELEASED'),
    );
    assert.equal((await availableOf(pool, ['a'])).get('a'), 10);
  });

  test('release and reserve at the same moment end with full shelves', async () => {
    const pool = await shelf({ a: 100 });
    await Promise.all(
      ten.map(async (n) => {
        const outcomes = await Promise.allSettled([
          reserve(pool, `o${n}`, [{ productId: 'a', quantity: 1 }]),
          release(pool, `o${n}`),
        ]);
        assert.equal(outcomes[1]?.status, 'fulfilled');
      }),
    );
    assert.equal((await availableOf(pool, ['a'])).get('a'), 100);
  });
});

describe('payment store', () => {
  const asked = { userId: 'u1', currency: 'EUR', amountMinor: 1000, method: 'card' };

  test('charges once, refunds once, and never after a refund', async () => {
    const pool = await migrated('payment', paymentMigrations);
    const ids = await Promise.all(ten.map((n) => charge(pool, { ...asked, orderId: 'o1' }, `pay-${n}`)));
    assert.equal(new Set(ids).size, 1);
    const refunds = await Promise.all(ten.map((n) => refund(pool, 'o1', `no-${n}`)));
    assert.equal(refunds.filter((did) => did).length, 1);
    assert.equal((await findPayment(pool, 'o1')).state, 'refunded');
    await assert.rejects(charge(pool, { ...asked, orderId: 'o1' }, 'pay-x'), reason('PAYMENT_VOIDED'));
    assert.equal(await refund(pool, 'o2', 'no-11'), false);
    await assert.rejects(charge(pool, { ...asked, orderId: 'o2' }, 'pay-y'), reason('PAYMENT_VOIDED'));
  });

  test('a decline is remembered', async () => {
    const pool = await migrated('payment', paymentMigrations);
    const declined = { ...asked, orderId: 'o3', method: 'card-declined' };
    await assert.rejects(charge(pool, declined, 'pay-z'), reason('PAYMENT_DECLINED'));
    await assert.rejects(charge(pool, { ...declined, method: 'card' }, 'pay-q'), reason('PAYMENT_DECLINED'));
    assert.equal(await refund(pool, 'o3', 'no-12'), false);
  });
});

describe('shipping store', () => {
  const parcel: Shipment = {
    orderId: 'o1',
    trackingCode: 't0',
    recipient: 'Anna',
    destination: 'Hamburg',
    weightGrams: 1,
    days: 2,
    state: 'created',
  };

  test('ships once per order, and not after a cancel', async () => {
    const pool = await migrated('shipping', shippingMigrations);
    const parcels = await Promise.all(ten.map((n) => ship(pool, { ...parcel, trackingCode: `t${n}` })));
    assert.equal(new Set(parcels.map((each) => each.trackingCode)).size, 1);
    assert.deepEqual(
      [await cancelShipment(pool, 'o1', 'x1'), await cancelShipment(pool, 'o1', 'x2')],
      [true, false],
    );
    await assert.rejects(ship(pool, parcel), reason('SHIPMENT_CANCELLED'));
    assert.equal(await cancelShipment(pool, 'o2', 'x3'), false);
    await assert.rejects(
      ship(pool, { ...parcel, orderId: 'o2', trackingCode: 't99' }),
      reason('SHIPMENT_CANCELLED'),
    );
  });
});

describe('notification store', () => {
  test('keeps one letter per key', async () => {
    const pool = await migrated('notification', notificationMigrations);
    const notice = { userId: 'u1', orderId: 'o1', subject: 's', text: 't' };
    const added = await Promise.all(
      ten.map((n) => addNotice(pool, { ...notice, noticeId: `n${n}` }, 'o1-confirmed')),
    );
    assert.equal(added.filter((did) => did).length, 1);
    assert.equal((await listNotices(pool, 'order', 'o1')).length, 1);
    assert.equal((await listNotices(pool, 'user', 'u1')).length, 1);
    assert.deepEqual(await listNotices(pool, 'user', 'u2'), []);
  });
});

describe('order store', () => {
  const request = { userId: 'u1', method: 'card', items: [{ productId: 'p1', quantity: 1 }] };

  test('the same key is the same order; another request under it is refused', async () => {
    const pool = await migrated('orders', orderMigrations);
    const orders = await Promise.all(ten.map((n) => placeOrder(pool, `o-${n}`, request, 'key-1')));
    assert.equal(new Set(orders.map((order) => order.orderId)).size, 1);
    await assert.rejects(
      placeOrder(pool, 'o-x', { ...request, userId: 'u2' }, 'key-1'),
      reason('IDEMPOTENCY_KEY_REUSED'),
    );
    const free = await Promise.all([placeOrder(pool, 'o-y', request), placeOrder(pool, 'o-z', request)]);
    assert.deepEqual(
      free.map((order) => order.orderId),
      ['o-y', 'o-z'],
    );
    assert.deepEqual(await findOrder(pool, 'o-y'), free[0]);
    await assert.rejects(findOrder(pool, 'none'), reason('NO_SUCH_ORDER'));
  });

  test('of two who write the same version one is told to read again', async () => {
    const pool = await migrated('orders', orderMigrations);
    const order = await placeOrder(pool, 'o-race', request);
    const results = await Promise.all(
      ten.map((n) => saveOrder(pool, evolve(order, { kind: 'refused', reason: `R${n}` }))),
    );
    assert.equal(results.filter((did) => did).length, 1);
    const found = await findOrder(pool, 'o-race');
    assert.deepEqual(
      [found.state, found.version, found.reason],
      ['cancelling', 1, `R${results.indexOf(true)}`],
    );
  });

  test('a standing order is claimed by one, and by nobody while it is fresh', async () => {
    const pool = await migrated('stale_orders', orderMigrations);
    for (const n of ten) await placeOrder(pool, `o-${n}`, request);
    assert.deepEqual(await claimStale(pool, 60_000), []);
    await pool.execute("UPDATE orders SET touched_at = now() - interval '1 minute'");
    const claims = (await Promise.all(ten.map(() => claimStale(pool, 30_000)))).flat();
    assert.equal(claims.length, 10);
    assert.equal(new Set(claims.map((each) => each.order.orderId)).size, 10);
    assert.ok(claims.every((each) => each.ageMs >= 0));
  });
});

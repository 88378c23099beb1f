// The whole shop: seven services, two processes each, a registry, a PostgreSQL; killed and restarted under load.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { httpServer } from '@heddle/rpc';
import { load } from './load/open-loop.ts';
import type { LoadReport } from './load/tally.ts';
import { loadProgram, shopPrograms } from './services.ts';
import { testRuntime } from './testing/databases.ts';
import { type Answer, ShopProcesses, until } from './testing/shop-processes.ts';

let shop: ShopProcesses;

before(
  async () => {
    shop = await ShopProcesses.start(2);
  },
  { timeout: 120_000 },
);
after(() => shop?.stop(), { timeout: 60_000 });

const some = { userId: 'u00001', items: [{ productId: 'p00001', quantity: 2 }] };
const place = (content: object, key: string = testRuntime.random.uuid()): Promise<Answer> =>
  shop.ask('POST', '/orders', content, key);

describe('the shop', () => {
  test('lists, finds and shows products, with what is on the shelf', async () => {
    const list = await shop.ask('GET', '/products?query=kettle&size=5');
    assert.equal(list.status, 200);
    const [first] = list.body['products'] as {
      productId: string;
      name: string;
      price: { currency: string; minor: number };
    }[];
    assert.match(first?.name ?? '', /Kettle/);
    const one = await shop.ask('GET', `/products/${first?.productId}`);
    assert.deepEqual(one.body['price'], first?.price);
    const stock = await shop.ask('GET', `/stock/${first?.productId}`);
    assert.equal(one.body['available'], stock.body['available']);
    assert.deepEqual((await shop.ask('GET', '/products/none')).body['reason'], 'NO_SUCH_PRODUCT');
  });

  test('registers a user once per key, who can order', async () => {
    const address = { street: 'Parkweg 1', postcode: '20999', city: 'Hamburg', country: 'DE' };
    const anna = { name: 'Anna Bauer', email: 'anna@example.com', address };
    const first = await shop.ask('POST', '/users', anna, 'anna-1');
    const again = await shop.ask('POST', '/users', anna, 'anna-1');
    assert.deepEqual([first.status, again.status], [201, 200]);
    assert.deepEqual(again.body, first.body);
    const order = await place({ ...some, userId: first.body['userId'] });
    assert.equal(order.status, 201, JSON.stringify(order.body));
  });

  test('takes an order through seven services', async () => {
    const { status, body } = await place(some);
    assert.equal(status, 201, JSON.stringify(body));
    const { orderId } = body as { orderId: string };
    const [shown, payment, shipment, letters] = await Promise.all([
      shop.ask('GET', `/orders/${orderId}`),
      shop.ask('GET', `/payments/${orderId}`),
      shop.ask('GET', `/shipments/${orderId}`),
      shop.ask('GET', `/notifications?orderId=${orderId}`),
    ]);
    assert.deepEqual(shown.body, body);
    const { total, lines, shipping, trackingCode } = body as {
      total: { minor: number };
      lines: { quantity: number; unit: { minor: number } }[];
      shipping: { minor: number };
      trackingCode: string;
    };
    assert.equal(
      total.minor,
      lines.reduce((sum, line) => sum + line.quantity * line.unit.minor, shipping.minor),
    );
    assert.deepEqual([payment.body['state'], payment.body['amount']], ['charged', total]);
    assert.deepEqual([shipment.body['state'], shipment.body['trackingCode']], ['created', trackingCode]);
    const [letter] = letters.body['notices'] as { text: string }[];
    assert.match(letter?.text ?? '', new RegExp(trackingCode));
  });

  test('the same key is the same order, at both instances and at once; another order under it is refused', async () => {
    const key = testRuntime.random.uuid();
    const answers = await Promise.all(Array.from({ length: 8 }, () => place(some, key)));
    assert.deepEqual(
      new Set(answers.map((answer) => answer.status)),
      new Set([201]),
      JSON.stringify(answers),
    );
    assert.equal(new Set(answers.map((answer) => answer.body['orderId'])).size, 1);
    const other = await place({ ...some, userId: 'u00002' }, key);
    assert.deepEqual([other.status, other.body['reason']], [400, 'IDEMPOTENCY_KEY_REUSED']);
  });

  test('a declined payment gives the goods back', async () => {
    const before = await shop.ask('GET', '/stock/p00003');
    const declined = await place({
      userId: 'u00001',
      method: 'card-declined',
      items: [{ productId: 'p00003', quantity: 4 }],
    });
    assert.deepEqual(
      [declined.status, declined.body['state'], declined.body['reason']],
      [409, 'rejected', 'PAYMENT_DECLINED'],
    );
    assert.deepEqual(await shop.ask('GET', '/stock/p00003'), before);
  });

  const refusals: readonly (readonly [string, object, number, string])[] = [
    ['an unknown user', { ...some, userId: 'nobody' }, 409, 'NO_SUCH_USER'],
    [
      'an unknown product',
      { ...some, items: [{ productId: 'nothing', quantity: 1 }] },
      409,
      'NO_SUCH_PRODUCT',
    ],
    ['a wrong quantity', { ...some, items: [{ productId: 'p00001', quantity: 0 }] }, 400, 'INVALID_FIELD'],
  ];
  for (const [what, content, status, reason] of refusals) {
    test(`refuses ${what}`, async () => {
      const answer = await place(content);
      assert.deepEqual([answer.status, answer.body['reason']], [status, reason]);
    });
  }

  test('measures itself', async () => {
    const texts = await Promise.all(
      (await shop.instances('order')).map((instance) => shop.metrics(instance)),
    );
    const all = texts.join('\n');
    assert.match(
      all,
      /http_requests_total\{method="POST",endpoint="\/orders",status_code="201",service="order"\} [1-9]/,
    );
    assert.match(
      all,
      /rpc_client_calls_total\{service="shop\.payment\.v1\.PaymentService",method="Charge",code="ok"\} [1-9]/,
    );
    assert.match(all, /sql_pool_connections\{state="idle"\} \d/);
  });

  test('can be made slow and failing, instance by instance, by who has the token', async () => {
    const payments = await shop.instances('payment');
    const [first] = payments;
    assert.ok(first !== undefined);
    const slow = await shop.admin(first, 'PUT', '/faults', { error: { percent: 100, code: 'unavailable' } });
    assert.equal(slow.status, 200);
    // Charge is idempotent: the retry goes to the other instance.
    const answers = await Promise.all(Array.from({ length: 10 }, () => place(some)));
    assert.deepEqual(
      answers.map((answer) => answer.status),
      Array.from({ length: 10 }, () => 201),
    );
    for (const each of payments)
      await shop.admin(each, 'PUT', '/faults', { error: { percent: 100, code: 'unavailable' } });
    const key = testRuntime.random.uuid();
    const stuck = await place(some, key);
    assert.equal(stuck.status, 503, JSON.stringify(stuck.body));
    for (const each of payments) await shop.admin(each, 'PUT', '/faults', {});
    // Nothing is half done: asked again, the order goes on from where it stood.
    const done = await place(some, key);
    assert.deepEqual([done.status, done.body['state']], [201, 'confirmed']);
  });
});

describe('the load generator', () => {
  test('runs as a program, prints and serves its counts, and stops cleanly', async () => {
    const front = httpServer(shop.http, { runtime: testRuntime });
    await front.start();
    const gateway = `127.0.0.1:${front.address.port}`;
    const flags = ['--conditions=@heddle/source', loadProgram, '--gateway', gateway];
    const options = ['--rate', '20', '--think', '20', '--seconds', '3'];
    const child = spawn(process.execPath, [...flags, ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    await front.stop();
    assert.equal(code, 0);
    const report = JSON.parse(printed.trim().split('\n').at(-1) ?? '') as LoadReport;
    const { started, finished, running } = report.sessions;
    assert.ok(started > 20 && finished === started && running === 0, printed);
    assert.ok(report.requests.ok > 50 && (report.orders['confirmed'] ?? 0) > 0, printed);
    assert.deepEqual(report.requests.errors, {});
  });

  const wrong: readonly (readonly [string[], RegExp])[] = [
    [[], /--gateway must be/],
    [['--gateway', '127.0.0.1:1', '--rate', 'fast'], /--rate must be a number/],
    [['--gatewya', 'x'], /Unknown option/],
  ];
  for (const [options, sentence] of wrong) {
    test(`says what is wrong with ${JSON.stringify(options)}`, async () => {
      const run = promisify(execFile)(process.execPath, [
        '--conditions=@heddle/source',
        loadProgram,
        ...options,
      ]);
      await assert.rejects(
        run,
        (error: { code: number; stderr: string }) => error.code === 1 && sentence.test(error.stderr),
      );
    });
  }
});

describe('under load', () => {
  test('kill -9 of one process of each service costs no order, and money and goods agree', {
    timeout: 180_000,
  }, async (context) => {
    const visitors = load({ runtime: testRuntime, http: shop.http, rate: 6, seed: 7, thinkMs: 100 });
    await visitors.start();
    await until('some orders', 30_000, () => (visitors.report().orders['confirmed'] ?? 0) >= 10);
    const killed: (number | undefined)[] = [];
    for (const { name } of shopPrograms) {
      killed.push(await shop.kill(name));
      await shop.startOne(name);
    }
    await shop.untilGone(killed);
    await shop.untilInstances(2);
    const settled = visitors.report();
    await until('orders after the kills', 60_000, () => {
      return (visitors.report().orders['confirmed'] ?? 0) >= (settled.orders['confirmed'] ?? 0) + 25;
    });
    await visitors.drain();
    const last = visitors.report();
    context.diagnostic(JSON.stringify({ whenTheLeasesEnded: settled, last }));
    assert.deepEqual(
      last.requests.errors,
      settled.requests.errors,
      'no failed call after the leases are gone',
    );
    assert.equal(last.orders['given_up'], undefined, 'no order was given up');
    await assertBooksAgree();
  });

  test('a rolling restart of every service fails no call', { timeout: 240_000 }, async () => {
    const visitors = load({ runtime: testRuntime, http: shop.http, rate: 5, seed: 8, thinkMs: 100 });
    await visitors.start();
    for (const { name } of shopPrograms) {
      const old = new Set((await shop.instances(name)).map((each) => each.id));
      for (let left = 2; left > 0; left -= 1) {
        await shop.startOne(name);
        await until(`a new ${name}`, 30_000, async () => (await shop.instances(name)).length === 3);
        assert.equal(await shop.terminate(name), 0, `${name} ends cleanly: ${shop.logs()}`);
      }
      assert.ok(
        (await shop.instances(name)).every((each) => !old.has(each.id)),
        `${name} is all new`,
      );
    }
    await visitors.drain();
    const { requests, orders } = visitors.report();
    assert.deepEqual(requests.errors, {}, shop.logs());
    assert.ok((orders['confirmed'] ?? 0) > 20, JSON.stringify(orders));
    await assertBooksAgree();
  });
});

/** The sums that must agree across four databases once no order is under way. */
async function assertBooksAgree(): Promise<void> {
  const [orders, payments, stock, shipments] = await Promise.all([
    shop.pool('order'),
    shop.pool('payment'),
    shop.pool('inventory'),
    shop.pool('shipping'),
  ]);
  const unfinished =
    "SELECT order_id, state FROM orders WHERE state NOT IN ('confirmed', 'rejected') OR (state = 'confirmed' AND NOT notified)";
  await until('every order is finished', 60_000, async () => (await orders.query(unfinished)).length === 0);
  const [sold] = await orders.query(
    "SELECT count(*) AS n, sum(total_minor)::bigint AS total FROM orders WHERE state = 'confirmed'",
  );
  const [paid] = await payments.query(
    "SELECT count(*) AS n, sum(amount_minor)::bigint AS total FROM payments WHERE state = 'charged'",
  );
  assert.deepEqual(paid, sold, 'money');
  const [sent] = await shipments.query<{ n: number }>(
    "SELECT count(*) AS n FROM shipments WHERE state = 'created'",
  );
  assert.equal(sent?.n, (sold as { n: number }).n, 'parcels');
  const goods = await orders.query(
    `SELECT line->>'productId' AS product_id, sum((line->>'quantity')::int) AS n
       FROM orders, jsonb_array_elements(request->'items') AS line WHERE state = 'confirmed' GROUP BY 1 ORDER BY 1`,
  );
  const reserved = await stock.query(
    `SELECT product_id, sum(quantity) AS n FROM reservation_lines JOIN reservations USING (order_id)
      WHERE state = 'reserved' GROUP BY 1 ORDER BY 1`,
  );
  assert.deepEqual(reserved, goods, 'goods');
}

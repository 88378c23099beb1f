// The checkouts that are transactions of several services, over the network and with real processes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShopProcesses, until } from './testing/shop-processes.ts';

for (const kind of ['saga', 'tcc', '2pc'] as const)
  test(`by ${kind}: an order is confirmed, a declined one gives all back, and one goes on when its process dies`, {
    timeout: 300_000,
  }, async () => {
    const shop = await ShopProcesses.start(1, kind);
    try {
      const place = (method: string, key: string) => {
        const items = [{ productId: 'p00003', quantity: 2 }];
        return shop.ask('POST', '/orders', { userId: 'u00001', method, items }, key);
      };
      const available = async (): Promise<number> =>
        Number((await shop.ask('GET', '/stock/p00003')).body['available']);
      const before = await available();
      const good = await place('card', 'good');
      assert.deepEqual([good.status, good.body['state']], [201, 'confirmed'], JSON.stringify(good.body));
      assert.match(String(good.body['trackingCode']), /^HD/);
      assert.equal((await place('card', 'good')).body['orderId'], good.body['orderId']);
      assert.equal(await available(), before - 2);

      const declined = await place('card-declined', 'declined');
      assert.deepEqual(
        [declined.status, declined.body['state'], declined.body['reason']],
        [409, 'rejected', 'PAYMENT_DECLINED'],
        JSON.stringify(declined.body),
      );
      await until('the goods are back', 60_000, async () => (await available()) === before - 2);

      const interrupted = place('card', 'interrupted').catch(() => undefined);
      const orders = await shop.pool('order');
      const placed = async (): Promise<boolean> =>
        (await orders.query("SELECT 1 FROM orders WHERE idempotency_key = 'interrupted'")).length === 1;
      await until('it is placed', 60_000, placed);
      await shop.kill('order');
      await shop.startOne('order');
      await interrupted;
      const state = async (): Promise<string | undefined> =>
        (
          await orders.query<{ state: string }>(
            "SELECT state FROM orders WHERE idempotency_key = 'interrupted' AND notified",
          )
        )[0]?.state;
      await until('it is confirmed', 120_000, async () => (await state()) === 'confirmed');
      assert.equal(await available(), before - 4);
      assert.deepEqual(await orders.query('SELECT gid FROM pg_prepared_xacts'), []);
    } finally {
      await shop.stop();
    }
  });

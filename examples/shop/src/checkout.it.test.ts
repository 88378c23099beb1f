// The checkouts that are transactions of several services, over the network and with real processes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, ShopProcesses, until } from './testing/shop-processes.ts';

for (const kind of ['saga', 'tcc', '2pc'] as const)
  test(`by ${kind}: an order is confirmed, a declined one gives all back, and one goes on when its process dies`, {
    timeout: 300_000,
  }, async () => {
    const shop = await ShopProcesses.start(1, kind);
    try {
      // A busy machine sheds calls and answers late: whoever asks again with the key gets the same order.
      const place = async (method: string, key: string): Promise<Answer> => {
        const order = { userId: 'u00001', method, items: [{ productId: 'p00003', quantity: 2 }] };
        let answer: Answer | undefined;
        await until(`an answer to ${key}`, 120_000, async () => {
          answer = await shop.ask('POST', '/orders', order, key).catch(() => undefined);
          return answer !== undefined && [201, 409].includes(answer.status);
        });
        return answer as Answer;
      };
      const stock = await shop.pool('inventory');
      const available = async (): Promise<number | undefined> =>
        (await stock.query<{ n: number }>("SELECT available AS n FROM stock WHERE product_id = 'p00003'"))[0]
          ?.n;
      const before = (await available()) ?? 0;
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

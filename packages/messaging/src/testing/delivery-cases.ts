import assert from 'node:assert/strict';
import { HeddleError, sleep } from '@heddle/kernel';
import { deadLetterTopic } from '../topic/topic.ts';
import { type BrokerCase, until } from './broker-stage.ts';
import { order, Recorder, rejects, textOf } from './recorder.ts';

const down = new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'the database is down' });
const bad = new HeddleError({ code: 'invalid_argument', reason: 'BAD_ORDER', message: 'no such product' });
const quick = { baseMs: 1, maxMs: 5 };

/** One consumer, and what comes to it. */
export const deliveryCases: readonly BrokerCase[] = [
  {
    name: 'every field of a message survives the way',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 2 });
      const sent = await broker.publish({
        topic: 'orders',
        kind: 'command',
        key: 'Zürich 纺织',
        type: 'order.place',
        payload: new Uint8Array([0, 255, 10, 13]),
        contentType: 'application/x-protobuf',
        schema: 'shop.Order',
        schemaVersion: 3,
        correlationId: 'c-1',
        causationId: 'm-0',
        aggregateId: 'order-7',
        aggregateVersion: 12,
        trace: {
          traceId: '0af7651916cd43dd8448eb211c80319c',
          spanId: 'b7ad6b7169203331',
          sampled: true,
          state: 'a=1',
        },
        headers: { 'x-user-id': 'u 1', 'a0.b_c-d': 'é' },
      });
      const recorder = new Recorder(stage);
      await recorder.subscribe(await stage.open(), { group: 'billing' });
      await recorder.count(1);
      const { message } = recorder.seen[0] ?? assert.fail('nothing came');
      assert.deepEqual({ ...message, payload: [...message.payload] }, { ...sent, payload: [0, 255, 10, 13] });
      assert.equal(recorder.seen[0]?.attempt, 1);
    },
  },
  {
    name: 'messages of one key come in the order in which they were published',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 4 });
      const keys = Array.from({ length: 10 }, (_, at) => `k${at}`);
      // Not awaited one by one: what is published first is first all the same.
      const published: Promise<unknown>[] = [];
      for (let step = 0; step < 30; step += 1)
        for (const key of keys) published.push(broker.publish(order(`${key} ${step}`, { key })));
      await Promise.all(published);
      const recorder = new Recorder(stage);
      await recorder.subscribe(broker, { group: 'billing', concurrency: 4 });
      await recorder.count(300);
      for (const key of keys) {
        const steps = recorder.texts.filter((each) => each.startsWith(`${key} `));
        assert.deepEqual(
          steps,
          Array.from({ length: 30 }, (_, step) => `${key} ${step}`),
        );
      }
    },
  },
  {
    name: 'a batch is published whole and handled together',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      await broker.publishBatch(Array.from({ length: 250 }, (_, at) => order(String(at))));
      const sizes: number[] = [];
      const seen: string[] = [];
      await broker.subscribeBatch('orders', { group: 'billing' }, async (deliveries) => {
        sizes.push(deliveries.length);
        seen.push(...deliveries.map(textOf));
      });
      await until(stage.runtime, '250 messages', 60_000, () => seen.length >= 250);
      assert.equal(new Set(seen).size, 250);
      assert.ok(Math.max(...sizes) <= 100 && Math.max(...sizes) > 1, `sizes: ${sizes.join()}`);
    },
  },
  {
    name: 'a handler that fails is tried again, and the others of its partition go on',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      const tries: string[] = [];
      await broker.subscribe(
        'orders',
        { group: 'billing', concurrency: 2, backoff: quick },
        async (delivery) => {
          tries.push(`${textOf(delivery)} ${delivery.attempt}`);
          if (textOf(delivery) === 'a' && delivery.attempt < 3) throw down;
        },
      );
      await broker.publish(order('a', { key: '1' }));
      await broker.publish(order('b', { key: '2' }));
      await until(stage.runtime, 'all tries', 60_000, () => tries.length >= 4);
      assert.deepEqual(tries.toSorted(), ['a 1', 'a 2', 'a 3', 'b 1']);
    },
  },
  {
    name: 'a message that cannot be handled goes to the dead letters, and its key goes on',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      const seen: string[] = [];
      const options = { group: 'billing', attempts: 3, backoff: quick };
      await broker.subscribe('orders', options, async (delivery) => {
        seen.push(`${textOf(delivery)} ${delivery.attempt}`);
        if (textOf(delivery) === 'poison') throw down;
        if (textOf(delivery) === 'nonsense') throw bad;
      });
      for (const each of ['poison', 'nonsense', 'fine']) await broker.publish(order(each, { key: 'k' }));
      await until(stage.runtime, 'the last one', 60_000, () => seen.includes('fine 1'));
      assert.deepEqual(seen, ['poison 1', 'poison 2', 'poison 3', 'nonsense 1', 'fine 1']);
      const dead = await broker.deadLetters('orders', 'billing').list();
      assert.deepEqual(
        dead.map((each) => [
          textOf(each),
          each.attempts,
          each.code,
          each.reason,
          each.error,
          each.message.topic,
        ]),
        [
          ['poison', 3, 'unavailable', 'DOWN', 'the database is down', 'orders'],
          ['nonsense', 1, 'invalid_argument', 'BAD_ORDER', 'no such product', 'orders'],
        ],
      );
      assert.ok((await broker.topics()).some(({ name }) => name === deadLetterTopic('orders', 'billing')));
    },
  },
  {
    name: 'dead letters are looked at, replayed and dropped',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      let broken = true;
      const handled: string[] = [];
      await broker.subscribe('orders', { group: 'billing', attempts: 1 }, async (delivery) => {
        if (broken) throw down;
        handled.push(delivery.message.id);
      });
      const dead = broker.deadLetters('orders', 'billing');
      assert.deepEqual(await dead.list(), []);
      const [first, second] = await broker.publishBatch([order('a', { headers: { x: '1' } }), order('b')]);
      await until(stage.runtime, 'two dead letters', 60_000, async () => (await dead.list()).length === 2);
      broken = false;
      assert.deepEqual((await dead.get(first?.id ?? '')).message, first);
      await dead.replay(first?.id ?? '');
      await dead.drop(second?.id ?? '');
      await until(stage.runtime, 'the replayed one', 60_000, () => handled.length === 1);
      assert.deepEqual(handled, [first?.id]);
      assert.deepEqual(await dead.list(), []);
      await rejects(dead.drop('nobody'), 'not_found', 'NO_DEAD_LETTER');
    },
  },
  {
    name: 'one bad message of a batch does not take the others with it',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      await broker.publishBatch(Array.from({ length: 20 }, (_, at) => order(String(at))));
      const done = new Set<string>();
      const options = { group: 'billing', attempts: 2, backoff: quick };
      await broker.subscribeBatch('orders', options, async (deliveries) => {
        if (deliveries.some((each) => textOf(each) === '7')) throw down;
        for (const each of deliveries) done.add(textOf(each));
      });
      const dead = broker.deadLetters('orders', 'billing');
      await until(stage.runtime, '19 done', 60_000, () => done.size === 19);
      await until(stage.runtime, 'one dead', 60_000, async () => (await dead.list()).length === 1);
    },
  },
  {
    name: 'at most once: what fails is not tried again and not kept',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      const seen: string[] = [];
      await broker.subscribe('orders', { group: 'billing', mode: 'at-most-once' }, async (delivery) => {
        seen.push(textOf(delivery));
        if (textOf(delivery) === 'a') throw down;
      });
      await broker.publish(order('a'), { mode: 'at-most-once' });
      await broker.publish(order('b'), { mode: 'at-most-once' });
      await until(stage.runtime, 'both', 60_000, () => seen.includes('b'));
      assert.deepEqual(seen, ['a', 'b']);
      assert.deepEqual(await broker.deadLetters('orders', 'billing').list(), []);
    },
  },
  {
    name: 'a delayed message comes when it is due and not before',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      const dueMs = Math.floor(stage.runtime.clock.wallMs()) + 400;
      const later = order('later', { deliverAtMs: dueMs });
      if (!broker.promises.delayed) {
        await rejects(broker.publish(later), 'unimplemented', 'UNSUPPORTED');
        return;
      }
      const at: Record<string, number> = {};
      await broker.subscribe('orders', { group: 'billing' }, async (delivery) => {
        at[textOf(delivery)] = stage.runtime.clock.wallMs();
      });
      await broker.publishBatch([later, order('now')]);
      await until(stage.runtime, 'both', 60_000, () => at['later'] !== undefined && at['now'] !== undefined);
      assert.ok((at['later'] ?? 0) >= dueMs, `${dueMs - (at['later'] ?? 0)} ms too early`);
    },
  },
  {
    name: 'a handler that does not return is given up at its time limit',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      const seen: string[] = [];
      const options = { group: 'billing', attempts: 1, handlerTimeoutMs: 50 };
      await broker.subscribe('orders', options, async (delivery, call) => {
        seen.push(textOf(delivery));
        if (textOf(delivery) === 'hangs') await sleep(call.runtime.timers, 60_000, call);
      });
      await broker.publish(order('hangs', { key: 'k' }));
      await broker.publish(order('next', { key: 'k' }));
      await until(stage.runtime, 'the next one', 60_000, () => seen.includes('next'));
      const [dead] = await broker.deadLetters('orders', 'billing').list();
      assert.equal(dead?.code, 'deadline_exceeded');
    },
  },
  {
    name: 'a message of 1 MB',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      const payload = new Uint8Array(1024 * 1024).map((_, at) => (at * 31) & 255);
      if (broker.promises.maxPayloadBytes < payload.byteLength) {
        await rejects(broker.publish({ topic: 'orders', payload }), 'unimplemented', 'UNSUPPORTED');
        return;
      }
      await broker.publish({ topic: 'orders', payload });
      const recorder = new Recorder(stage);
      await recorder.subscribe(broker, { group: 'billing' });
      await recorder.count(1);
      assert.deepEqual(Buffer.from(recorder.seen[0]?.message.payload ?? []), Buffer.from(payload));
    },
  },
  {
    name: 'what is wrong is refused with every problem named, and nothing is sent',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      const refused = await rejects(
        broker.publishBatch([
          order('a'),
          order('b', { key: 'a\nb', id: '' }),
          order('c', { headers: { 'X Y': '1' } }),
        ]),
        'invalid_argument',
        'BAD_MESSAGE',
      );
      assert.deepEqual(
        refused.details.map(({ value }) => (value as { field: string }).field),
        ['id', 'key', 'headers'],
      );
      await rejects(broker.publish(order('a', { topic: 'order' })), 'not_found', 'NO_TOPIC');
      await rejects(broker.createTopic('Orders!', { partitions: 0 }), 'invalid_argument', 'BAD_TOPIC');
      await rejects(broker.createTopic('orders', { partitions: 3 }), 'already_exists', 'TOPIC_DIFFERS');
      await broker.createTopic('orders', { partitions: 1 });
      const handler = async (): Promise<void> => {};
      await rejects(broker.subscribe('orders', {} as never, handler), 'invalid_argument', 'BAD_SUBSCRIPTION');
      await rejects(broker.subscribe('nothing', { group: 'g' }, handler), 'not_found', 'NO_TOPIC');
      const recorder = new Recorder(stage);
      await broker.publish(order('the only one'));
      await recorder.subscribe(broker, { group: 'billing' });
      await recorder.count(1);
      assert.deepEqual(recorder.texts, ['the only one']);
    },
  },
];

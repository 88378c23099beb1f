import assert from 'node:assert/strict';
import { Call, HeddleError } from '@heddle/kernel';
import type { BrokerCase } from './broker-stage.ts';
import { order, rejects, textOf } from './recorder.ts';

/** Questions and answers. */
export const replyCases: readonly BrokerCase[] = [
  {
    name: 'a query is answered, many at a time, each by its own answer',
    run: async (stage) => {
      const [asker, receiver] = [await stage.open(), await stage.open()];
      await receiver.createTopic('orders', { partitions: 2 });
      await receiver.answer('orders', { group: 'desk', concurrency: 8 }, async (delivery) => ({
        payload: new TextEncoder().encode(`re: ${textOf(delivery)}`),
      }));
      const call = Call.root(stage.runtime, stage.runtime.clock.nowMs() + 60_000);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, at) => asker.request(order(String(at), { correlationId: 'c' }), call)),
      );
      assert.deepEqual(
        answers.map((message) => textOf({ message })),
        Array.from({ length: 20 }, (_, at) => `re: ${at}`),
      );
      assert.ok(answers.every(({ correlationId }) => correlationId === 'c'));
      call.end();
    },
  },
  {
    name: 'an error of the receiver comes back as it was',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      await broker.answer('orders', { group: 'desk' }, async () => {
        throw new HeddleError({ code: 'not_found', reason: 'NO_ORDER', message: 'there is no order 7' });
      });
      const call = Call.root(stage.runtime, stage.runtime.clock.nowMs() + 60_000);
      const error = await rejects(broker.request(order('7'), call), 'not_found', 'NO_ORDER');
      assert.equal(error.message, 'there is no order 7');
      assert.deepEqual(await broker.deadLetters('orders', 'desk').list(), []);
    },
  },
  {
    name: 'a query that nobody answers ends at its deadline',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      const call = Call.root(stage.runtime, stage.runtime.clock.nowMs() + 300);
      await rejects(broker.request(order('anybody?'), call), 'deadline_exceeded', 'NO_REPLY');
    },
  },
];

import assert from 'node:assert/strict';
import { Call } from '@heddle/kernel';
import { type BrokerCase, until } from './broker-stage.ts';
import { order, Recorder, textOf } from './recorder.ts';

const never = new Promise<void>(() => {});

/** What dies, and what comes of it. */
export const faultCases: readonly BrokerCase[] = [
  {
    name: 'a consumer that dies with messages in its hands: another gets them',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 2 });
      const victim = await stage.open();
      const inHand: string[] = [];
      await victim.subscribe('orders', { group: 'billing', handlerTimeoutMs: 5000 }, async (delivery) => {
        inHand.push(textOf(delivery));
        await never;
      });
      await broker.publishBatch(
        Array.from({ length: 40 }, (_, at) => order(String(at), { key: `k${at % 8}` })),
      );
      await until(stage.runtime, 'something in its hands', 60_000, () => inHand.length === 2);
      await stage.crash(victim);
      const recorder = new Recorder(stage);
      await recorder.subscribe(await stage.open(), { group: 'billing' });
      await recorder.count(40, stage.leaseMs * 3 + 60_000);
      assert.equal(new Set(recorder.texts).size, 40);
    },
  },
  {
    name: 'a message that kills its consumers ends among the dead letters',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      await broker.publishBatch(['poison', 'a', 'b'].map((each) => order(each, { key: 'k' })));
      for (let attempt = 1; attempt <= 2; attempt += 1) {
        const victim = await stage.open();
        let hit = 0;
        await victim.subscribe(
          'orders',
          { group: 'billing', attempts: 2, handlerTimeoutMs: 5000 },
          async (delivery) => {
            hit = delivery.attempt;
            await never;
          },
        );
        await until(stage.runtime, `attempt ${attempt}`, stage.leaseMs * 3 + 60_000, () => hit > 0);
        assert.equal(hit, attempt);
        await stage.crash(victim);
      }
      const recorder = new Recorder(stage);
      await recorder.subscribe(broker, { group: 'billing', attempts: 2 });
      await recorder.count(2, stage.leaseMs * 3 + 60_000);
      assert.deepEqual(recorder.texts, ['a', 'b']);
      const [dead] = await broker.deadLetters('orders', 'billing').list();
      assert.equal(dead?.reason, 'CONSUMER_DIED');
    },
  },
  {
    name: 'a slow consumer is not flooded',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      await broker.publishBatch(Array.from({ length: 1000 }, (_, at) => order(String(at))));
      let open = (): void => {};
      const gate = new Promise<void>((resolve) => (open = resolve));
      let running = 0;
      let most = 0;
      let done = 0;
      await broker.subscribe('orders', { group: 'billing', concurrency: 4 }, async () => {
        running += 1;
        most = Math.max(most, running);
        await gate;
        running -= 1;
        done += 1;
      });
      await until(stage.runtime, 'four at work', 60_000, () => running === 4);
      open();
      await until(stage.runtime, 'all done', 60_000, () => done === 1000);
      assert.equal(most, 4);
    },
  },
  {
    name: 'the broker is killed and restarted: nothing acknowledged is lost',
    needs: ['kill', 'restart'],
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 2 });
      const recorder = new Recorder(stage);
      await recorder.subscribe(await stage.open(), { group: 'billing' });
      const acknowledged: string[] = [];
      // A busy machine may take long to start a server: longer than a publisher waits by itself.
      const call = Call.root(stage.runtime, stage.runtime.clock.nowMs() + 90_000);
      const publishing = (async () => {
        for (let at = 0; at < 60; at += 1) {
          await broker.publish(order(String(at), { key: `k${at % 4}` }), { call });
          acknowledged.push(String(at));
        }
      })();
      // Awaited below; until then its failure is not to end the process.
      publishing.catch(() => {});
      await until(stage.runtime, 'some published', 60_000, () => acknowledged.length >= 20);
      await stage.faults.kill?.();
      await stage.faults.restart?.();
      await publishing;
      const handled = (): Set<string> => new Set(recorder.texts);
      const state = (): string =>
        `all handled: missing are ${acknowledged.filter((each) => !handled().has(each)).join(', ')}`;
      await until(stage.runtime, state, 90_000, () => handled().size === 60);
      assert.equal(acknowledged.length, 60);
      call.end();
    },
  },
  {
    name: 'the broker is down when a consumer starts: it begins when the broker is there',
    needs: ['kill', 'restart'],
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 1 });
      await broker.publish(order('before'));
      const late = await stage.open();
      // Known, so that the subscription itself needs no broker.
      await late.createTopic('orders', { partitions: 1 });
      await stage.faults.kill?.();
      const recorder = new Recorder(stage);
      await recorder.subscribe(late, { group: 'billing' });
      await stage.faults.restart?.();
      await recorder.count(1, 90_000);
      assert.deepEqual(recorder.texts, ['before']);
    },
  },
];

import assert from 'node:assert/strict';
import type { Broker } from '../broker.ts';
import { type BrokerCase, type BrokerStage, until } from './broker-stage.ts';
import { order, Recorder, rejects, textOf } from './recorder.ts';
import type { Delivery } from '../message/message.ts';

async function publishMany(broker: Broker, count: number, from = 0): Promise<void> {
  await broker.publishBatch(
    Array.from({ length: count }, (_, at) => order(String(from + at), { key: `k${(from + at) % 17}` })),
  );
}

/** Each member of the group has some of the partitions, and all have an owner. */
async function untilShared(stage: BrokerStage, broker: Broker, members: number): Promise<void> {
  await until(stage.runtime, `${members} members that share the partitions`, 60_000, async () => {
    const owners = (await broker.lag('orders', 'billing')).map(({ owner }) => owner);
    return !owners.includes(undefined) && new Set(owners).size === members;
  });
}

/** Those that came more than once, and where they lay each time. */
function repeated(seen: readonly Delivery[]): readonly string[] {
  const byText = Map.groupBy(seen, textOf);
  return [...byText]
    .filter(([, all]) => all.length > 1)
    .map(([text, all]) => `${text} at ${all.map((each) => `${each.partition}/${each.offset}`).join(', ')}`);
}

/** Several consumers. */
export const groupCases: readonly BrokerCase[] = [
  {
    name: 'each group gets every message, and within a group one member does',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 4 });
      const billing = [new Recorder(stage), new Recorder(stage)];
      for (const recorder of billing) await recorder.subscribe(await stage.open(), { group: 'billing' });
      await untilShared(stage, broker, 2);
      const shipping = new Recorder(stage);
      await shipping.subscribe(broker, { group: 'shipping' });
      await publishMany(broker, 200);
      await shipping.count(200);
      await until(
        stage.runtime,
        '200 for billing',
        60_000,
        () => billing.flatMap(({ seen }) => seen).length >= 200,
      );
      const all = billing.flatMap(({ texts }) => texts);
      assert.equal(all.length, 200);
      assert.equal(new Set(all).size, 200);
      assert.ok(billing.every(({ seen }) => seen.length > 0));
    },
  },
  {
    name: 'a broadcast reaches every subscriber, from when it subscribed on',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 2 });
      await publishMany(broker, 10);
      const recorders = [new Recorder(stage), new Recorder(stage)];
      for (const recorder of recorders) await recorder.subscribe(await stage.open(), { broadcast: true });
      // A subscription begins when its partitions are its own: a probe that both have seen says that they are.
      let probe = 0;
      await until(stage.runtime, 'both listen', 60_000, async () => {
        await broker.publishBatch([
          order(`probe ${probe++}`, { key: 'a' }),
          order(`probe ${probe++}`, { key: 'b' }),
        ]);
        return recorders.every(({ seen }) => new Set(seen.map(({ partition }) => partition)).size === 2);
      });
      await publishMany(broker, 50, 1000);
      for (const recorder of recorders) {
        await until(
          stage.runtime,
          'all 50',
          60_000,
          () => recorder.texts.filter((each) => each.length === 4).length >= 50,
        );
        const numbers = recorder.texts.filter((each) => !each.startsWith('probe'));
        assert.deepEqual(new Set(numbers), new Set(Array.from({ length: 50 }, (_, at) => String(1000 + at))));
      }
    },
  },
  {
    name: 'a new group begins at the earliest or at the latest, and goes on where it was',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 2 });
      await publishMany(broker, 20);
      const early = new Recorder(stage);
      if (broker.promises.replay) {
        const subscription = await early.subscribe(broker, { group: 'billing' });
        await early.count(20);
        await subscription.close();
        await publishMany(broker, 5, 20);
        await early.subscribe(await stage.open(), { group: 'billing' });
        await early.count(25);
        assert.equal(new Set(early.texts).size, 25);
        assert.equal(early.texts.length, 25, 'nothing that was done came again');
      } else await rejects(early.subscribe(broker, { group: 'billing' }), 'unimplemented', 'UNSUPPORTED');
      const late = new Recorder(stage);
      await late.subscribe(broker, { group: 'late', from: 'latest' });
      await until(stage.runtime, 'the late group', 60_000, async () =>
        (await broker.lag('orders', 'late')).every(({ owner }) => owner !== undefined),
      );
      await publishMany(broker, 5, 100);
      await late.count(5);
      assert.ok(
        late.texts.every((each) => Number(each) >= 100),
        late.texts.join(),
      );
    },
  },
  {
    name: 'members come and go under load: nothing is lost, nothing is done twice, keys stay in order',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 6 });
      const recorder = new Recorder(stage);
      const first = await recorder.subscribe(await stage.open(), { group: 'billing', concurrency: 3 });
      await publishMany(broker, 300);
      await recorder.subscribe(await stage.open(), { group: 'billing', concurrency: 3 });
      await recorder.subscribe(await stage.open(), { group: 'billing', concurrency: 3 });
      await publishMany(broker, 300, 300);
      await untilShared(stage, broker, 3);
      await publishMany(broker, 300, 600);
      await first.close();
      await publishMany(broker, 300, 900);
      await recorder.count(1200, 90_000);
      assert.deepEqual(repeated(recorder.seen), [], 'done twice');
      assert.equal(new Set(recorder.texts).size, 1200);
      for (let key = 0; key < 17; key += 1) {
        const numbers = recorder.seen
          .filter(({ message }) => message.key === `k${key}`)
          .map(({ message }) => Number(new TextDecoder().decode(message.payload)));
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        );
      }
    },
  },
  {
    name: 'the lag is what is not done yet',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 3 });
      const behind = async (): Promise<number> =>
        (await broker.lag('orders', 'billing')).reduce((sum, each) => sum + each.behind, 0);
      const recorder = new Recorder(stage);
      const subscription = await recorder.subscribe(broker, { group: 'billing' });
      await publishMany(broker, 30);
      await recorder.count(30);
      await until(stage.runtime, 'no lag', 60_000, async () => (await behind()) === 0);
      await subscription.close();
      await publishMany(broker, 40, 30);
      assert.equal(await behind(), 40);
    },
  },
  {
    name: 'a backlog of 100,000 messages is worked off',
    run: async (stage) => {
      const broker = await stage.open();
      await broker.createTopic('orders', { partitions: 4 });
      for (let from = 0; from < 100_000; from += 1000) await publishMany(broker, 1000, from);
      const seen = new Set<number>();
      const decoder = new TextDecoder();
      await broker.subscribeBatch('orders', { group: 'billing', batch: 500 }, async (deliveries) => {
        for (const { message } of deliveries) seen.add(Number(decoder.decode(message.payload)));
      });
      await until(stage.runtime, '100,000 messages', 240_000, () => seen.size === 100_000);
    },
  },
];

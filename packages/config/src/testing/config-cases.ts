import assert from 'node:assert/strict';
import { clientCases } from './client-cases.ts';
import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import { type Place, placeText, readPlace } from '../place/place.ts';
import type { ConfigStore } from '../store/config-store.ts';
import { follow } from '../store/follow.ts';
import type { ConfigVersion } from '../version/version.ts';
import type { ConfigCase } from './config-case.ts';
import { Followed, madeVersion, until } from './followed.ts';

const place = readPlace('prod/shop/order');

/** All that a backend of the config centre promises. */
export const configCases: readonly ConfigCase[] = [
  {
    name: 'versions read back as they were added, in order, each place by itself',
    run: async (stage) => {
      const store = await stage.open();
      const other = readPlace('prod/shop/user');
      assert.equal(await store.head(place), undefined);
      const made = [1, 2, 3].map((number) => madeVersion(place, number));
      for (const one of made) await store.append(one);
      await store.append(madeVersion(other, 1));
      assert.deepEqual(await store.head(place), made[2]);
      assert.deepEqual(await store.read(place, 0, 100), made);
      assert.deepEqual(await store.read(place, 1, 1), [made[1]]);
      assert.deepEqual(await store.read(place, 3, 100), []);
      assert.deepEqual((await store.places()).map(placeText), ['prod/shop/order', 'prod/shop/user']);
      return undefined;
    },
  },
  {
    name: 'every kind of value, gray values and words in any language survive the round trip',
    run: async (stage) => {
      const store = await stage.open();
      const version: ConfigVersion = {
        ...madeVersion(place, 1),
        author: '李雷 "admin"',
        comment: 'läuft – 上线\nsecond line',
        action: 'gray',
        values: {
          text: 'a\n"b"\\ü漢',
          number: -1.5e-7,
          yes: true,
          nothing: null,
          list: [1, { deep: ['x'] }],
          'pool.max': 5,
          looksLikeDate: '2026-01-02',
          looksLikeNumber: '012',
        },
        gray: { audience: { instances: ['order-1'], percent: 12.5 }, values: { text: 'gray' } },
      };
      await store.append(version);
      assert.deepEqual(await (await stage.open()).head(place), version);
      return undefined;
    },
  },
  {
    name: 'of 20 that add the same version one wins, and the others are told',
    run: async (stage) => {
      const stores = await Promise.all(Array.from({ length: 4 }, () => stage.open()));
      await stores[0]?.append(madeVersion(place, 1));
      const tries = Array.from({ length: 20 }, (_, at) =>
        storeAt(stores, at).append({ ...madeVersion(place, 2), author: `writer ${at}` }),
      );
      const results = await Promise.allSettled(tries);
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const result of results)
        if (result.status === 'rejected')
          assert.equal(HeddleError.from(result.reason).reason, 'VERSION_CONFLICT');
      assert.equal((await stores[1]?.read(place, 0, 100))?.length, 2);
      return undefined;
    },
  },
  {
    name: 'a version without the one before it is refused',
    run: async (stage) => {
      const store = await stage.open();
      await assert.rejects(store.append(madeVersion(place, 2)), { reason: 'VERSION_CONFLICT' });
      assert.equal(await store.head(place), undefined);
      return undefined;
    },
  },
  {
    name: 'followers see each of 30 versions once and in order while others write',
    run: async (stage) => {
      const writer = await stage.open();
      const followers = await Promise.all(
        Array.from({ length: 3 }, async () => Followed.begin(stage.runtime, await stage.open(), place)),
      );
      for (let number = 1; number <= 30; number++) await writer.append(madeVersion(place, number));
      for (const followed of followers) await followed.reaches(30);
      for (const followed of followers) followed.assertWhole(30);
      await Promise.all(followers.map((followed) => followed.end()));
      return undefined;
    },
  },
  {
    name: 'who follows from an old version is told of all since',
    run: async (stage) => {
      const store = await stage.open();
      for (let number = 1; number <= 10; number++) await store.append(madeVersion(place, number));
      const call = Call.root(stage.runtime);
      const seen: number[] = [];
      for await (const { version } of follow(store, place, 4, call, { runtime: stage.runtime })) {
        seen.push(version);
        if (version === 10) break;
      }
      call.end();
      assert.deepEqual(seen, [5, 6, 7, 8, 9, 10]);
      return undefined;
    },
  },
  {
    name: 'a connection that breaks again and again costs no version',
    needs: ['faulty'],
    run: async (stage) => {
      const { faulty } = stage;
      assert.ok(faulty !== undefined);
      const [writer, followed] = [
        await stage.open(),
        Followed.begin(stage.runtime, await faulty.open(), place),
      ];
      let number = 0;
      const write = async (count: number): Promise<void> => {
        for (let left = count; left > 0; left--) await writer.append(madeVersion(place, ++number));
      };
      for (let round = 0; round < 3; round++) {
        await write(3);
        await followed.reaches(number);
        faulty.cut();
        await write(5);
        faulty.heal();
        await followed.reaches(number);
      }
      followed.assertWhole(number);
      await followed.end();
      return undefined;
    },
  },
  {
    name: 'kill -9 of the server: what was added is there, and followers go on',
    needs: ['restart'],
    run: async (stage) => {
      const store = await stage.open();
      for (let number = 1; number <= 5; number++) await store.append(madeVersion(place, number));
      const followed = Followed.begin(stage.runtime, await stage.open(), place);
      await followed.reaches(5);
      await stage.restart?.();
      await appended(stage.runtime, store, place, 6);
      await followed.reaches(6);
      followed.assertWhole(6);
      await followed.end();
      return undefined;
    },
  },
  ...clientCases,
];

/** Adds a version as soon as the server takes it. A try whose answer was lost may have added it. */
async function appended(runtime: Runtime, store: ConfigStore, at: Place, number: number): Promise<void> {
  await until(runtime, 'the server takes a version again', 60_000, async () => {
    try {
      await store.append(madeVersion(at, number));
      return true;
    } catch (thrown) {
      return HeddleError.from(thrown).reason === 'VERSION_CONFLICT';
    }
  });
}

function storeAt(stores: readonly ConfigStore[], at: number): ConfigStore {
  const store = stores[at % stores.length];
  assert.ok(store !== undefined);
  return store;
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { type SimulatedRuntime, simulatedRuntime } from '@heddle/kernel/simulated';
import { ConfigCentre } from '../centre/config-centre.ts';
import { type Place, readPlace } from '../place/place.ts';
import { until } from '../testing/followed.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import type { Values } from '../version/values.ts';
import { ConfigClient, type ConfigClientOptions } from './config-client.ts';
import { environmentValues } from './environment.ts';
import { leavesOf, merged, nested } from './layers.ts';
import type { StandardSchema } from './standard-schema.ts';

interface Config {
  readonly pool?: { readonly max?: number };
  readonly [key: string]: unknown;
}

/** Anything, as long as `pool.max` is a number where there is one. */
const schema: StandardSchema<Config> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const config = value as Config;
      const max: unknown = config.pool?.max;
      if (max === undefined || typeof max === 'number') return { value: config };
      return { issues: [{ message: 'expected a number', path: ['pool', { key: 'max' }] }] };
    },
  },
};

const place = readPlace('prod/shop/order');
const shared = readPlace('prod/shop/all');
const by = { author: 'test', comment: '' } as const;

/** A store, a centre before it and clients, in virtual time. */
class World {
  readonly runtime: SimulatedRuntime = simulatedRuntime({ seed: 7 });
  readonly store: MemoryStore = new MemoryStore();
  readonly centre: ConfigCentre = new ConfigCentre({ runtime: this.runtime, store: this.store });

  client(more: Partial<ConfigClientOptions<Config>> = {}): ConfigClient<Config> {
    const centre = { store: this.store, places: [shared, place] };
    return new ConfigClient({ runtime: this.runtime, schema, instance: 'order-1', centre, ...more });
  }

  async publish(at: Place, set: Values): Promise<void> {
    await this.centre.change(at, { action: 'publish', set }, by);
  }

  until(what: string, condition: () => boolean): Promise<void> {
    return until(this.runtime, what, 60_000, condition);
  }
}

function inTime(work: (world: World) => Promise<void>): () => Promise<void> {
  return async () => {
    const world = new World();
    await world.runtime.time.run(work(world));
  };
}

test('variables become keys: two underscores for a dot, one for a capital letter, JSON where it is that', () => {
  const { values, names } = environmentValues('SHOP', {
    SHOP_POOL__MAX: '5',
    SHOP_LOG_LEVEL: 'debug',
    SHOP_HOSTS: '["a"]',
    SHOPPING_X: '1',
    SHOP_: '1',
    SHOP_a: '1',
  });
  assert.deepEqual(values, { 'pool.max': 5, logLevel: 'debug', hosts: ['a'] });
  assert.equal(names.get('pool.max'), 'SHOP_POOL__MAX');
});

test('a later layer wins, leaf by leaf, and a value hides what lies in it or around it', () => {
  const layer = (values: Parameters<typeof leavesOf>[0], where: string): ReturnType<typeof leavesOf> =>
    leavesOf(values, () => ({ layer: 'file', where }));
  const all = merged([
    layer({ pool: { max: 1, min: 0 }, name: 'x' }, 'one'),
    layer({ 'pool.max': 2, name: { first: 'y' } }, 'two'),
    layer({ list: [{ a: 1 }], ref: { $env: 'X' } }, 'three'),
  ]);
  const values = nested([...all].map(([key, { value }]) => [key, value] as const));
  assert.deepEqual(values, {
    pool: { max: 2, min: 0 },
    name: { first: 'y' },
    list: [{ a: 1 }],
    ref: { $env: 'X' },
  });
  assert.equal(all.get('pool.min')?.origin.where, 'one');
  assert.equal(all.get('pool.max')?.origin.where, 'two');
});

test(
  'the origin of each value is known, and references are resolved',
  inTime(async (world) => {
    await world.publish(shared, { home: { $env: 'HOME' }, 'pool.max': 3 });
    await world.publish(place, { 'pool.max': 4 });
    const client = world.client({
      defaults: { pool: { max: 1, min: 0 }, name: 'none' },
      file: { path: 'order.yaml', values: { 'pool.max': 2, token: { $file: '/run/token' } } },
      environment: { prefix: 'SHOP', variables: { SHOP_NAME: 'env', HOME: '/home/ada' } },
      readText: async (path) => `text of ${path}\n`,
    });
    await client.start();
    const { pool, ...rest } = client.current;
    assert.deepEqual(pool, { max: 4, min: 0 });
    assert.deepEqual(rest, { name: 'env', token: 'text of /run/token', home: '/home/ada' });
    assert.deepEqual(Object.fromEntries(client.origins), {
      'pool.max': { layer: 'centre', where: 'prod/shop/order', version: 1 },
      'pool.min': { layer: 'default', where: 'the program' },
      name: { layer: 'environment', where: 'SHOP_NAME' },
      token: { layer: 'file', where: 'order.yaml' },
      home: { layer: 'centre', where: 'prod/shop/all', version: 1 },
    });
    await client.stop();
  }),
);

test(
  'a version with a reference that cannot be resolved is refused, and the next good one taken',
  inTime(async (world) => {
    const client = world.client();
    await client.start();
    const seen: unknown[] = [];
    client.onChange(() => {
      throw new Error('a listener that fails harms nobody');
    });
    client.onChange((config) => seen.push(config));
    await world.publish(place, { a: { $env: 'NOT_SET' } });
    await world.until('it is refused', () => /NOT_SET/.test(client.state.refused?.message ?? ''));
    await world.publish(place, { a: { $unknown: 'x' } });
    await world.until('that too', () => /\$unknown/.test(client.state.refused?.message ?? ''));
    await world.publish(place, { a: 1 });
    await world.until('a good one comes', () => seen.length === 1);
    assert.deepEqual([seen, client.state.refused], [[{ a: 1 }], undefined]);
    await client.stop();
  }),
);

test(
  'a bad head at the start: the last good copy is used',
  inTime(async (world) => {
    await world.publish(place, { 'pool.max': 5 });
    const first = world.client();
    await first.start();
    await first.stop();
    await world.publish(place, { 'pool.max': 'many' });
    const again = world.client();
    await again.start();
    assert.deepEqual([again.current.pool?.max, again.state.source], [5, 'last-good']);
    assert.match(
      again.state.refused?.message ?? '',
      /pool\.max \(centre, prod\/shop\/order version 2\): expected a number/,
    );
    await again.stop();
  }),
);

test(
  'a bad head and no copy: the start says what is wrong and where it comes from',
  inTime(async (world) => {
    await world.publish(place, { 'pool.max': 'many' });
    await assert.rejects(world.client().start(), {
      reason: 'BAD_CONFIGURATION',
      message: /version 1\): expected a number/,
    });
  }),
);

test(
  'without the centre and without a copy the start fails, unless told to go on with the other layers',
  inTime(async (world) => {
    world.store.cut(new HeddleError({ code: 'unavailable', reason: 'GONE', message: 'gone' }));
    await assert.rejects(world.client().start(), { reason: 'GONE' });
    const client = world.client({ withoutCentre: 'start', defaults: { a: 1 } });
    await client.start();
    assert.deepEqual([client.current['a'], client.state.source], [1, 'layers']);
    world.store.cut(undefined);
    await world.publish(place, { a: 2 });
    await world.until('the centre is heard', () => client.current['a'] === 2);
    assert.equal(client.state.source, 'centre');
    await client.stop();
  }),
);

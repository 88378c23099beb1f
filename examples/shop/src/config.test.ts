import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { readConfig } from './config.ts';

const complete = {
  HEDDLE_REGISTRY: '127.0.0.1:7070',
  SHOP_DATABASE_URL: 'postgres://order:secret@127.0.0.1:5432/order',
  SHOP_ADMIN_TOKEN: 'a-token-of-twenty-letters',
};

test('readConfig fills in what has a default', () => {
  assert.deepEqual(readConfig(complete), {
    registry: [{ host: '127.0.0.1', port: 7070 }],
    registryToken: undefined,
    databaseUrl: complete.SHOP_DATABASE_URL,
    adminToken: complete.SHOP_ADMIN_TOKEN,
    host: '127.0.0.1',
    port: 0,
    seed: 1,
    version: 'v1',
    zone: 'default',
    checkout: 'steps',
    telemetry: { address: { host: '127.0.0.1', port: 7070 }, sampleRatio: 0.1 },
  });
  const two = readConfig({ ...complete, HEDDLE_REGISTRY: 'a:1,b:2', HEDDLE_REGISTRY_TOKEN: 'secret' });
  assert.deepEqual(
    [two.registry.length, two.registry[1], two.registryToken],
    [2, { host: 'b', port: 2 }, 'secret'],
  );
  assert.equal(readConfig({ ...complete, SHOP_PORT: '8081', SHOP_SEED: '7' }).port, 8081);
});

test('readConfig names all problems at once and quotes no value', () => {
  const wrong = {
    SHOP_DATABASE_URL: 'mysql://u:hidden@h/d',
    SHOP_ADMIN_TOKEN: 'short',
    SHOP_PORT: '70000',
    SHOP_SEED: '-1',
  };
  assert.throws(
    () => readConfig(wrong),
    (thrown) => {
      assert.ok(thrown instanceof HeddleError && thrown.is('invalid_argument', 'BAD_CONFIG'));
      for (const name of [
        'HEDDLE_REGISTRY is not set',
        'SHOP_DATABASE_URL must',
        'SHOP_ADMIN_TOKEN must',
        'SHOP_PORT must',
        'SHOP_SEED must',
      ]) {
        assert.ok(thrown.message.includes(name), name);
      }
      return !/hidden|short\b(?! name)/.test(thrown.message);
    },
  );
});

test('there is no default for the token', () => {
  assert.throws(() => readConfig({ ...complete, SHOP_ADMIN_TOKEN: '' }), /SHOP_ADMIN_TOKEN is not set/);
});

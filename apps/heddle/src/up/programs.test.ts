import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shopPrograms, shopServices } from './programs.ts';

test('each instance of the shop keeps its files in a folder of its own, the same at every start', () => {
  const surroundings = {
    dataFolder: '/data',
    token: 't',
    adminToken: 'a',
    controlPlane: '127.0.0.1:8090',
    databaseUrls: {},
    checkout: 'steps',
  };
  const folders = (): (string | undefined)[] =>
    shopServices.flatMap((service) => shopPrograms(service, surroundings).map(({ env }) => env['SHOP_DATA']));
  assert.equal(new Set(folders()).size, 2 * shopServices.length);
  assert.deepEqual(folders(), folders());
  assert.ok(folders().includes('/data/shop/order-2'));
});

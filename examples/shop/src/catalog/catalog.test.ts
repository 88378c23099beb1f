import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { catalogProducts, catalogUsers, productCount, userCount } from './catalog.ts';

describe('catalog', () => {
  test('is the same for the same seed and another for another', () => {
    assert.deepEqual(catalogProducts(7), catalogProducts(7));
    assert.deepEqual(catalogUsers(7), catalogUsers(7));
    assert.notDeepEqual(catalogProducts(7, 20), catalogProducts(8, 20));
    assert.notDeepEqual(catalogUsers(7, 20), catalogUsers(8, 20));
  });

  test('a longer one begins with the shorter one', () => {
    assert.deepEqual(catalogProducts(7, 50).slice(0, 10), catalogProducts(7, 10));
  });

  test('names and ids are unique, prices and stock are what a shop would have', () => {
    const products = catalogProducts(1);
    assert.equal(products.length, productCount);
    assert.equal(new Set(products.map((each) => each.name)).size, productCount);
    assert.equal(new Set(products.map((each) => each.productId)).size, productCount);
    for (const { priceMinor, stock, weightGrams } of products) {
      assert.ok(
        Number.isSafeInteger(priceMinor) && priceMinor >= 99 && priceMinor < 500_000,
        `price ${priceMinor}`,
      );
      assert.ok(Number.isSafeInteger(stock) && stock >= 0);
      assert.ok(Number.isSafeInteger(weightGrams) && weightGrams >= 20);
    }
    assert.ok(products.some((each) => each.stock < 6) && products.some((each) => each.stock > 10_000));
    assert.equal(new Set(products.map((each) => each.category)).size, 8);
  });

  test('people have distinct addresses of mail and a postcode of their country', () => {
    const users = catalogUsers(1);
    assert.equal(new Set(users.map((each) => each.email)).size, userCount);
    for (const { email, postcode, country } of users) {
      assert.match(email, /^[a-z]+\.[a-z]+\.\d+@example\.com$/);
      assert.match(postcode, { NL: /^3\d{3} AB$/, PL: /^80-\d{3}$/, AT: /^1\d{3}$/ }[country] ?? /^\d{5}$/);
    }
  });
});

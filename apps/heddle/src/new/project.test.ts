import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { nameForms, renamed } from './names.ts';
import { projectFiles } from './project.ts';

describe('the name of a service', () => {
  test('has four forms', () => {
    assert.deepEqual(nameForms('order-history'), {
      kebab: 'order-history',
      snake: 'order_history',
      pascal: 'OrderHistory',
      camel: 'orderHistory',
    });
    assert.equal(nameForms('cart2').pascal, 'Cart2');
  });

  test('is put in place of another in each of them', () => {
    const text = 'daily-greeting daily_greeting/v1 DailyGreetingService dailyGreetingApp greeting';
    const expected = 'order-history order_history/v1 OrderHistoryService orderHistoryApp greeting';
    assert.equal(renamed(text, nameForms('daily-greeting'), nameForms('order-history')), expected);
  });

  for (const name of [
    '',
    'Order',
    'order_history',
    '-order',
    'order-',
    'a--b',
    '2nd',
    'a-2',
    '..',
    'x'.repeat(41),
  ]) {
    test(`is not "${name}"`, () => {
      assert.throws(() => nameForms(name), { reason: 'USAGE', message: /40 at most/ });
    });
  }
});

test('packages in files are depended on where they lie, those for tests apart', () => {
  const content = readFileSync(
    new URL('../../../../examples/daily-greeting/package.json', import.meta.url),
    'utf8',
  );
  const files = { '@heddle/kernel': 'k.tgz', '@heddle/wire': 'w.tgz', '@heddle/sim': 's.tgz' };
  const [made] = projectFiles([{ path: 'package.json', content }], nameForms('cart'), { files });
  const { name, dependencies, devDependencies } = JSON.parse(made?.content ?? '') as Record<string, object>;
  assert.equal(name, 'cart');
  assert.equal((dependencies as Record<string, string>)['@heddle/wire'], 'file:packages/w.tgz');
  assert.equal((devDependencies as Record<string, string>)['@heddle/sim'], 'file:packages/s.tgz');
  assert.ok(devDependencies !== undefined && 'typescript' in devDependencies);
});

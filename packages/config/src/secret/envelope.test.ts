import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { simulatedRuntime } from '@heddle/kernel/simulated';
import { isSealed, open, seal } from './envelope.ts';
import { readKeyRing } from './key-ring.ts';
import { Secret } from './secret.ts';

const { random } = simulatedRuntime({ seed: 1 });
const [one, two] = ['11'.repeat(32), '22'.repeat(32)];

test('a sealed text opens with its key, at its place, and not otherwise', () => {
  const old = readKeyRing(`old:${one}`);
  const sealed = seal('hunter2 ü', 'prod/shop/order password', old, random);
  assert.ok(isSealed(sealed) && !JSON.stringify(sealed).includes('hunter'));
  const rotated = readKeyRing(`# the new one first\nnew:${two}\nold:${one}\n`);
  assert.equal(rotated.current, 'new');
  assert.equal(open(sealed, 'prod/shop/order password', rotated), 'hunter2 ü');
  assert.throws(() => open(sealed, 'prod/shop/order other', rotated), { reason: 'BAD_SECRET' });
  assert.throws(() => open(sealed, 'prod/shop/order password', readKeyRing(`new:${two}`)), {
    reason: 'NO_SUCH_KEY',
  });
  assert.throws(() => open(sealed, 'prod/shop/order password', readKeyRing(`old:${two}`)), {
    reason: 'BAD_SECRET',
  });
  const { key, dataKey, data } = sealed.$secret;
  const changed = `${data.slice(0, -4)}${data.endsWith('AAA=') ? 'BBB=' : 'AAA='}`;
  assert.throws(() => open({ $secret: { key, dataKey, data: changed } }, 'prod/shop/order password', old), {
    reason: 'BAD_SECRET',
  });
});

test('the same text sealed twice is not the same', () => {
  const ring = readKeyRing(`k:${one}`);
  assert.notDeepEqual(seal('x', 'w', ring, random), seal('x', 'w', ring, random));
});

test('keys that cannot be read are named by their lines, and never shown', () => {
  for (const text of ['', 'a', `a:${one.slice(2)}`, `a:${one}\na:${two}`, `a b:${one}`])
    assert.throws(
      () => readKeyRing(text),
      (error: Error) => !error.message.includes(one.slice(2)),
      text,
    );
});

test('a secret shows itself nowhere', () => {
  const secret = new Secret('hunter2');
  const shown = [
    String(secret),
    JSON.stringify({ secret }),
    inspect(secret, { showHidden: true, depth: 9 }),
    inspect({ secret }),
  ];
  assert.ok(shown.every((text) => !text.includes('hunter2')));
  assert.equal(secret.reveal(), 'hunter2');
});

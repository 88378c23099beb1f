import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '@heddle/kernel/simulated';
import { Seals } from './seals.ts';

const [old, fresh] = ['o'.repeat(32), 'f'.repeat(32)];
const random = seededRandom(1);

describe('a seal', () => {
  const seals = new Seals(old, random);
  const sealed = seals.seal('text: "ü"', 'session');

  test('opens for its purpose only', () => {
    assert.equal(seals.open(sealed, 'session'), 'text: "ü"');
    assert.equal(seals.open(sealed, 'login'), undefined);
    assert.match(sealed, /^[\w.-]+$/);
    assert.ok(!sealed.includes('text'));
  });

  test('opens with an old secret behind a new one, and not without it', () => {
    assert.equal(new Seals(`${fresh}, ${old}`, random).open(sealed, 'session'), 'text: "ü"');
    assert.equal(new Seals(fresh, random).open(sealed, 'session'), undefined);
  });

  test('does not open when any character is another', () => {
    for (let at = 0; at < sealed.length; at++) {
      // The last character of base64url may carry bits that are not read: all others count.
      if (at === sealed.length - 1) continue;
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
      assert.equal(seals.open(changed, 'session'), undefined, `character ${at}`);
    }
  });

  for (const text of ['', '.', 'x', sealed.slice(0, 20), `${sealed.slice(0, 7)}`])
    test(`does not open ${JSON.stringify(text)}`, () => assert.equal(seals.open(text, 'session'), undefined));
});

for (const secrets of ['', 'short', `${old},short`, Array.from({ length: 6 }, () => old).join()])
  test(`refuses the secrets ${JSON.stringify(secrets.slice(0, 50))}`, () =>
    assert.throws(() => new Seals(secrets, random), { reason: 'WEAK_SECRET' }));

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { VirtualTime } from '@heddle/kernel/simulated';
import { readKeySet, secretKey } from './key-set.ts';
import { RemoteKeys } from './remote-keys.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = pair.publicKey.export({ format: 'jwk' });
const setOf = (...kids: string[]): string => JSON.stringify({ keys: kids.map((kid) => ({ ...jwk, kid })) });

class Provider {
  readonly time = new VirtualTime();
  readonly failures: HeddleError[] = [];
  answer: () => Promise<string> = async () => setOf('a');
  asked = 0;
  readonly keys = new RemoteKeys({
    clock: this.time.clock,
    fetch: () => {
      this.asked++;
      return this.answer();
    },
    onFailure: (error) => this.failures.push(error),
  });

  async kids(kid: string): Promise<(string | undefined)[]> {
    return (await this.keys.keysFor(kid)).map((key) => key.kid);
  }

  /** Lets time go by. */
  wait(ms: number): Promise<void> {
    return this.time.run(new Promise((resolve) => void this.time.timers.after(ms, resolve)));
  }
}

describe('keys by URL', () => {
  test('are fetched once for all that wait', async () => {
    const provider = new Provider();
    assert.deepEqual(await Promise.all([provider.kids('a'), provider.kids('a')]), [['a'], ['a']]);
    assert.equal(provider.asked, 1);
  });

  test('an unknown key costs one fetch per cool-down, and a rotated one is found', async () => {
    const provider = new Provider();
    await provider.kids('a');
    await provider.wait(40_000);
    provider.answer = async () => setOf('a', 'b');
    assert.deepEqual(await provider.kids('b'), ['b']);
    for (let n = 0; n < 20; n++) assert.deepEqual(await provider.kids('c'), []);
    assert.equal(provider.asked, 2);
    assert.deepEqual(await provider.kids('a'), ['a'], 'the old one while it is published');
  });

  for (const [what, answer] of [
    [
      'fails',
      async () => Promise.reject(new HeddleError({ code: 'unavailable', reason: 'X', message: 'x' })),
    ],
    ['answers HTML', async () => '<html>'],
    ['answers an empty set', async () => '{"keys":[]}'],
    ['publishes a secret', async () => JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA' }] })],
  ] as const) {
    test(`a provider that ${what} leaves the last good keys`, async () => {
      const provider = new Provider();
      await provider.kids('a');
      provider.answer = answer;
      await provider.wait(400_000);
      assert.deepEqual(await provider.kids('a'), ['a']);
      assert.deepEqual(await provider.kids('b'), []);
      assert.equal(provider.failures.length, 1);
      assert.deepEqual(await provider.kids('a'), ['a']);
    });

    test(`a provider that always ${what} gives nobody a key`, async () => {
      const provider = new Provider();
      provider.answer = answer;
      assert.deepEqual(await provider.kids('a'), []);
    });
  }

  test('an old set is renewed while nobody waits', async () => {
    const provider = new Provider();
    await provider.kids('a');
    provider.answer = () => new Promise(() => {});
    await provider.wait(301_000);
    const found = provider.keys.keysFor('a');
    assert.ok(Array.isArray(found), 'at once');
    assert.equal(provider.asked, 2);
  });
});

describe('a key set', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  const small = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).publicKey;
  for (const [what, keys] of [
    ['a weak key', [weak]],
    ['a small exponent', [small.export({ format: 'jwk' })]],
    [
      'one kid twice',
      [
        { ...jwk, kid: 'a' },
        { ...jwk, kid: 'a' },
      ],
    ],
    ['a private key', [pair.privateKey.export({ format: 'jwk' })]],
    ['no key', []],
    ['keys for encryption only', [{ ...jwk, use: 'enc' }]],
    ['a broken key', [{ ...jwk, x: 'AA' }]],
  ] as const) {
    test(`with ${what} is refused`, () =>
      assert.throws(() => readKeySet({ keys }), { reason: 'BAD_KEY_SET' }));
  }

  test('a secret is as long as the hash', () => {
    assert.throws(() => secretKey(new Uint8Array(31), 'HS256'), { reason: 'WEAK_SECRET' });
    assert.deepEqual(secretKey(new Uint8Array(32), 'HS256').algorithms, ['HS256']);
  });
});

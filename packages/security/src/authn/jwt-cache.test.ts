import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { VirtualTime } from '@heddle/kernel/simulated';
import { BoundedCache } from './bounded-cache.ts';
import { JwtVerifier } from './jwt-verifier.ts';
import { RemoteKeys } from './remote-keys.ts';

const [first, second] = ['a', 'b'].map((kid) => ({ kid, ...generateKeyPairSync('ed25519') })) as [Key, Key];

interface Key {
  readonly kid: string;
  readonly publicKey: ReturnType<typeof generateKeyPairSync>['publicKey'] & object;
  readonly privateKey: object;
}

class Site {
  readonly time = new VirtualTime();
  published: Key[] = [first];
  fetched = 0;
  readonly verifier: JwtVerifier;

  constructor() {
    const { clock } = this.time;
    const keys = new RemoteKeys({
      clock,
      fetch: async () => {
        this.fetched++;
        return JSON.stringify({
          keys: this.published.map(({ kid, publicKey }) => ({
            kid,
            ...(publicKey as unknown as { export(options: object): object }).export({ format: 'jwk' }),
          })),
        });
      },
    });
    this.verifier = new JwtVerifier([{ issuer: 'i', audiences: ['x'], algorithms: ['EdDSA'], keys }], clock);
  }

  token({ kid, privateKey }: Key, seconds: number): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(this.time.clock.wallMs() / 1000) + seconds;
    const input = `${part({ alg: 'EdDSA', kid })}.${part({ iss: 'i', aud: 'x', sub: 'ann', exp })}`;
    return `${input}.${sign(null, Buffer.from(input), privateKey as never).toString('base64url')}`;
  }

  wait(ms: number): Promise<void> {
    return this.time.run(new Promise((resolve) => void this.time.timers.after(ms, resolve)));
  }
}

describe('a token that was good', () => {
  test('gives the same identity again, and is refused when it has expired', async () => {
    const site = new Site();
    const token = site.token(first, 60);
    assert.equal(await site.verifier.verify(token), await site.verifier.verify(token));
    await site.wait(60_000 + 30_000);
    await assert.rejects(site.verifier.verify(token), /expired/);
  });

  test('is refused once its key is no longer published, although it was remembered', async () => {
    const site = new Site();
    const token = site.token(first, 3600);
    await site.verifier.verify(token);
    site.published = [second];
    await site.wait(300_001);
    // The first use after five minutes begins to fetch; what was remembered serves until the answer is there.
    await site.verifier.verify(token);
    await site.wait(1);
    await assert.rejects(site.verifier.verify(token), /no key/);
    assert.equal(site.fetched, 2);
  });

  test('is not remembered when it was refused', async () => {
    const site = new Site();
    const forged = `${site.token(first, 60).slice(0, -4)}AAAA`;
    await assert.rejects(site.verifier.verify(forged));
    await assert.rejects(site.verifier.verify(forged));
  });
});

describe('a bounded cache', () => {
  test('never holds more than it may, and keeps what is used', () => {
    const cache = new BoundedCache<number>(10, 1000);
    cache.set('kept', 0);
    for (let n = 0; n < 100; n++) {
      cache.set(`key ${n}`, n);
      assert.equal(cache.get('kept'), 0);
      assert.ok(cache.size <= 11, `${cache.size} entries`);
    }
    assert.equal(cache.get('key 0'), undefined);
  });

  test('counts the characters of its keys', () => {
    const cache = new BoundedCache<number>(1000, 100);
    for (let n = 0; n < 50; n++) cache.set(String(n).padEnd(20, '-'), n);
    assert.ok(cache.size <= 6, `${cache.size} entries`);
  });

  test('forgets what is deleted', () => {
    const cache = new BoundedCache<number>(10, 100);
    cache.set('a', 1);
    cache.delete('a');
    assert.equal(cache.get('a'), undefined);
  });
});

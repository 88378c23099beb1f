import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualTime } from '@heddle/kernel/simulated';
import { Introspection } from './introspection.ts';

class Server {
  readonly time = new VirtualTime();
  asked = 0;
  answer: () => Promise<unknown> = async () => ({
    active: true,
    sub: 'ann',
    scope: 'read write',
    aud: 'shop',
  });
  readonly known: Introspection;

  constructor(options: object = {}) {
    const ask = (): Promise<unknown> => {
      this.asked++;
      return this.answer();
    };
    this.known = new Introspection({ clock: this.time.clock, ask, audiences: ['shop'], ...options });
  }

  wait(ms: number): Promise<void> {
    return this.time.run(new Promise((resolve) => void this.time.timers.after(ms, resolve)));
  }
}

describe('token introspection', () => {
  test('asks once for all that come with one token, and again when the answer is old', async () => {
    const server = new Server();
    const all = await Promise.all(Array.from({ length: 20 }, () => server.known.verify('t')));
    assert.deepEqual([all[0]?.subject, all[0]?.scopes, server.asked], ['ann', ['read', 'write'], 1]);
    await server.wait(10_000);
    await server.known.verify('t');
    assert.equal(server.asked, 2);
  });

  test('believes an answer no longer than the token lives', async () => {
    const server = new Server({ cacheMs: 3_600_000 });
    const exp = server.time.clock.wallMs() / 1000 + 5;
    server.answer = async () => ({ active: true, sub: 'ann', aud: 'shop', exp });
    await server.known.verify('t');
    await server.wait(5000);
    await assert.rejects(server.known.verify('t'), { code: 'unauthenticated' });
  });

  test('a flood of one bad token is one question', async () => {
    const server = new Server();
    server.answer = async () => ({ active: false });
    for (let n = 0; n < 50; n++) await assert.rejects(server.known.verify('bad'), { reason: 'BAD_TOKEN' });
    assert.equal(server.asked, 1);
  });

  for (const [name, answer] of Object.entries({
    'another audience': { active: true, sub: 'ann', aud: 'bank' },
    'no audience': { active: true, sub: 'ann' },
    nobody: { active: true, aud: 'shop' },
    'not yet': { active: true, sub: 'ann', aud: 'shop', nbf: 1e12 },
    'only nearly active': { active: 'true', sub: 'ann', aud: 'shop' },
  }))
    test(`refuses ${name}`, async () => {
      const server = new Server();
      server.answer = async () => answer;
      await assert.rejects(server.known.verify('t'));
    });

  test('refuses another issuer', async () => {
    const server = new Server({ issuer: 'https://id.example' });
    server.answer = async () => ({ active: true, sub: 'ann', aud: 'shop', iss: 'https://evil.example' });
    await assert.rejects(server.known.verify('t'), { reason: 'BAD_TOKEN' });
  });

  test('without an answer lets nobody in, but who was good a moment ago where that is wanted', async () => {
    for (const [staleMs, expected] of [
      [0, 'unavailable'],
      [60_000, 'ann'],
    ] as const) {
      const server = new Server({ staleMs });
      await server.known.verify('t');
      server.answer = () => Promise.reject(new Error('away'));
      await server.wait(11_000);
      const outcome = await server.known.verify('t').then(
        ({ subject }) => subject,
        ({ code }: { code: string }) => code,
      );
      assert.equal(outcome, expected);
      await server.wait(70_000);
      await assert.rejects(server.known.verify('t'), { reason: 'INTROSPECTION_UNAVAILABLE' });
    }
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, HeddleError, type Layer, type Result, settle, userId } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { rateDecision, rateLimit, type RateLimitOptions } from './rate-limit.ts';
import { rateRule, type RateRule } from './rate-rule.ts';
import { MemoryRateStore, type RateStore } from './rate-store.ts';
import { byTier, usualTiers } from './tiers.ts';

const perSecond = (limit: number): RateRule => ({ algorithm: 'fixed_window', limit, windowMs: 1000 });

function setting(options: Partial<RateLimitOptions<string>> & { readonly rule?: RateRule } = {}): {
  time: VirtualTime;
  store: MemoryRateStore;
  send: (call?: Call, req?: string) => Promise<Result<string>>;
  root: () => Call;
} {
  const { rule = perSecond(3), ...more } = options;
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const store = new MemoryRateStore(time.clock);
  const limits = (req: string): { key: string; rule: RateRule; cost: number }[] => [
    { key: req, rule, cost: 1 },
  ];
  const layer: Layer<string, string> = rateLimit<string, string>({ store, limits, ...more });
  const root = (): Call => Call.root(runtime);
  const send = (call = root(), req = 'x'): Promise<Result<string>> =>
    settle(
      layer(async (each, inner) => {
        inner.deferEnd();
        return each;
      }),
      req,
      call,
    );
  return { time, store, send, root };
}

test('the limit is exact for calls that start together; the refusal says when', async () => {
  const { time, send, root } = setting();
  const results = await time.run(Promise.all(Array.from({ length: 20 }, () => send())));
  assert.equal(results.filter(({ ok }) => ok).length, 3);
  const call = root();
  const refused = await time.run(send(call));
  assert.ok(!refused.ok);
  const { code, reason, sent, details } = refused.error;
  assert.equal(`${code} ${reason} ${sent}`, 'resource_exhausted RATE_LIMITED false');
  assert.deepEqual(details[0]?.value, call.get(rateDecision));
  assert.equal(call.get(rateDecision)?.retryAfterMs, 1000);
});

test('a concurrency rule holds its place to the end of the call, streams included', async () => {
  const { time, send, root } = setting({ rule: { algorithm: 'concurrency', limit: 2 } });
  const calls = [root(), root(), root()];
  const results = await time.run(Promise.all(calls.map((call) => send(call))));
  assert.deepEqual(
    results.map(({ ok }) => ok),
    [true, true, false],
  );
  calls[0]?.end();
  assert.equal((await time.run(send())).ok, true);
  assert.equal((await time.run(send())).ok, false);
});

test('a queue lets calls leave evenly, and who leaves it has not been sent', async () => {
  const { time, send, root } = setting({
    rule: { algorithm: 'leaky_bucket', limit: 10, windowMs: 1000, maxDelayMs: 500 },
  });
  const left: number[] = [];
  const all = [0, 1, 2, 3].map(() => send().then(() => left.push(Math.round(time.clock.nowMs()))));
  const gone = root();
  const impatient = send(gone);
  gone.cancel(new HeddleError({ code: 'cancelled', reason: 'GONE', message: 'gone' }));
  await time.run(Promise.all(all));
  const result = await time.run(impatient);
  assert.deepEqual(left, [0, 100, 200, 300]);
  assert.equal(result.ok ? '' : `${result.error.reason} ${result.error.sent}`, 'GONE false');
});

test('several limits at once: all must admit, and none takes anything if one refuses', async () => {
  const time = new VirtualTime();
  const store = new MemoryRateStore(time.clock);
  const [wide, narrow] = [
    { key: 'tenant', rule: perSecond(10), cost: 1 },
    { key: 'user', rule: perSecond(2), cost: 1 },
  ];
  for (let n = 0; n < 5; n++) store.take([wide, narrow]);
  assert.equal(store.take([wide]).decisions[0]?.remaining, 7);
  const twice = store.take([narrow, narrow]);
  assert.equal(twice.admitted, false);
});

test('tiers by role: user 100, VIP 300, internal 500 a second; strangers as users', async () => {
  const limits = byTier<string>({
    name: 'api',
    key: (_req, call) => call.get(userId),
    role: (req) => req,
    tiers: usualTiers,
    otherwise: 'user',
  });
  for (const [role, expected] of [
    ['user', 100],
    ['vip', 300],
    ['internal', 500],
    ['toString', 100],
    ['', 100],
  ] as const) {
    const { time, send, root } = setting({ limits });
    const results = Array.from({ length: 600 }, () => send(root().set(userId, 'u1'), role));
    const admitted = (await time.run(Promise.all(results))).filter(({ ok }) => ok);
    assert.equal(admitted.length, expected, role);
  }
  assert.throws(
    () => byTier({ name: 'api', key: () => 'k', role: () => 'user', tiers: usualTiers, otherwise: 'gold' }),
    /otherwise: expected one of/,
  );
});

test('a store that fails or is late: closed, open or local, and never slower than its time', async () => {
  const broken: RateStore = {
    take: () => Promise.reject(new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down' })),
    release: () => {},
  };
  const silent: RateStore = { take: () => new Promise(() => {}), release: () => {} };
  for (const store of [broken, silent]) {
    for (const [onStoreFailure, admitted] of [
      ['closed', 0],
      ['open', 20],
      ['local', 3],
      [undefined, 3],
    ] as const) {
      const local = new MemoryRateStore(new VirtualTime().clock);
      const { time, send } = setting({
        store,
        local,
        ...(onStoreFailure !== undefined && { onStoreFailure }),
      });
      const results = await time.run(Promise.all(Array.from({ length: 20 }, () => send())));
      assert.equal(results.filter(({ ok }) => ok).length, admitted, String(onStoreFailure));
      assert.ok(time.clock.nowMs() <= 250);
    }
  }
});

test('a place that a late store has given after all is given back', async () => {
  const time = new VirtualTime();
  const real = new MemoryRateStore(time.clock);
  const late: RateStore = {
    take: (asks) => new Promise((resolve) => time.timers.after(300, () => resolve(real.take(asks)))),
    release: (asks) => real.release(asks),
  };
  const runtime = bareRuntime(time);
  const limits = (): { key: string; rule: RateRule; cost: number }[] => [
    { key: 'k', rule: { algorithm: 'concurrency', limit: 1 }, cost: 1 },
  ];
  const layer = rateLimit<string, string>({ store: late, limits });
  await time.run(
    settle(
      layer(async (req) => req),
      'x',
      Call.root(runtime),
    ),
  );
  await time.advance(100);
  assert.equal(real.size, 0);
});

test('keys are forgotten when they say nothing more, and made-up keys share one limit', async () => {
  const time = new VirtualTime();
  const store = new MemoryRateStore(time.clock, { maxKeys: 100 });
  const ask = (key: string): boolean => store.take([{ key, rule: perSecond(2), cost: 1 }]).admitted;
  let admitted = 0;
  for (let n = 0; n < 1000; n++) if (ask(`made-up-${n}`)) admitted++;
  assert.ok(store.size <= 101, `${store.size}`);
  assert.equal(admitted, 100 + 2);
  assert.equal(ask('made-up-5'), true, 'who was there before has his own');
  await time.advance(2000);
  for (let n = 0; n < 200; n++) ask('one');
  assert.ok(store.size <= 2, `${store.size}`);
});

test('property: over many keys and releases, what is held is never more than the limit and never lost', () => {
  const acts = fc.array(fc.tuple(fc.nat(3), fc.boolean()), { maxLength: 100 });
  fc.assert(
    fc.property(
      acts,
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 4 }),
      (plan, limit, maxKeys) => {
        const store = new MemoryRateStore(new VirtualTime().clock, { maxKeys });
        const rule: RateRule = { algorithm: 'concurrency', limit };
        const held = new Map<string, number>();
        for (const [index, takes] of plan) {
          const ask = { key: `k${index}`, rule, cost: 1 };
          const now = held.get(ask.key) ?? 0;
          if (takes) {
            if (store.take([ask]).admitted) held.set(ask.key, now + 1);
          } else if (now > 0) {
            store.release([ask]);
            held.set(ask.key, now - 1);
          }
          for (const count of held.values()) assert.ok(count <= limit);
        }
        for (const [key, count] of held)
          for (let n = 0; n < count; n++) store.release([{ key, rule, cost: 1 }]);
        assert.equal(store.size, 0);
      },
    ),
  );
});

test('rules that make no sense are refused with all problems', () => {
  assert.throws(
    () => rateRule({ algorithm: 'token_bucket', limit: 0, windowMs: -1 }),
    /limit: .*; windowMs: /,
  );
  assert.throws(() => rateRule({ algorithm: 'magic' } as never), /algorithm: expected fixed_window/);
  assert.throws(
    () => rateRule({ algorithm: 'fixed_window', limit: 1, windowMs: 1, burst: 2 } as never),
    /burst: unknown/,
  );
});

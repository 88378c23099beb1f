import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, classifyErrors, HeddleError, type Service, settle, sleep } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { AdaptiveLimit, type AdaptiveOptions, adaptive } from './adaptive.ts';
import { defaultAdaptiveRules, initialLimit, step } from './adaptive-limit.ts';

const samples = fc.array(
  fc.record({
    tookMs: fc.double({ min: 0, max: 5000, noNaN: true }),
    inFlight: fc.integer({ min: 1, max: 200 }),
    dropped: fc.boolean(),
  }),
  { maxLength: 200 },
);

for (const algorithm of ['gradient', 'aimd'] as const) {
  const rules = { ...defaultAdaptiveRules, algorithm, min: 3, max: 100 };

  test(`property, ${algorithm}: the limit stays within its bounds, and falls at what was dropped`, () => {
    fc.assert(
      fc.property(samples, (seen) => {
        let state = initialLimit(rules);
        for (const sample of seen) {
          const next = step(state, sample, rules);
          assert.ok(next.limit >= 3 && next.limit <= 100);
          if (sample.dropped) assert.ok(next.limit < state.limit || next.limit === 3);
          if (!sample.dropped && sample.inFlight * 2 < state.limit)
            assert.ok(next.limit <= state.limit, 'unused');
          state = next;
        }
      }),
    );
  });

  test(`${algorithm}: never more in flight than the limit says, counted to the end of the call`, async () => {
    const limit = new AdaptiveLimit({ algorithm, initial: 4, max: 4 });
    const runtime = bareRuntime(new VirtualTime());
    const inside = new Set<Call>();
    const service: Service<string, string> = async (req, call) => {
      inside.add(call);
      call.deferEnd();
      call.onEnd(() => inside.delete(call));
      return req;
    };
    const layer = adaptive<string, string>(limit, { classify: classifyErrors })(service);
    const results = await Promise.all(
      Array.from({ length: 20 }, () => settle(layer, 'x', Call.root(runtime))),
    );
    assert.equal(inside.size, 4);
    const refused = results.filter(
      (result) => !result.ok && result.error.is('resource_exhausted', 'CONCURRENCY_LIMIT'),
    );
    assert.equal(refused.length, 16);
    for (const call of inside) call.end();
    assert.equal(limit.state.inFlight, 0);
  });

  test(`${algorithm}: finds about what a service can do, from below and from above`, async () => {
    for (const initial of [2, 200]) {
      const { limit, latencyMs } = await saturate({ algorithm, initial, timeoutMs: 60 });
      // Ten at a time in 20 ms each is what the service does; a queue as long again is the most that is well.
      assert.ok(limit >= 8 && limit <= 40, `from ${initial} to ${limit}`);
      assert.ok(latencyMs <= 80, `${latencyMs} ms`);
    }
  });
}

/**
 * Sixty callers without pause, one more every 20 ms, before a service that does ten calls at a time, 20 ms each, and
 * queues the others.
 */
async function saturate(options: AdaptiveOptions): Promise<{ limit: number; latencyMs: number }> {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const limit = new AdaptiveLimit(options);
  const freeAtMs: number[] = Array.from({ length: 10 }, () => 0);
  let latencyMs = 0;
  const service: Service<string, string> = (req, call) => {
    const nowMs = time.clock.nowMs();
    const worker = freeAtMs.indexOf(Math.min(...freeAtMs));
    const doneAtMs = Math.max(nowMs, freeAtMs[worker] as number) + 20;
    freeAtMs[worker] = doneAtMs;
    latencyMs = doneAtMs - nowMs;
    return new Promise((resolve) => call.runtime.timers.after(doneAtMs - nowMs, () => resolve(req)));
  };
  const layer = adaptive<string, string>(limit, { classify: classifyErrors })(service);
  const caller = async (_: unknown, index: number): Promise<void> => {
    await sleep(time.timers, index * 20);
    while (time.clock.nowMs() < 5_000) {
      const result = await settle(layer, 'x', Call.root(runtime));
      if (!result.ok) await sleep(time.timers, 7);
    }
  };
  await time.run(Promise.all(Array.from({ length: 60 }, caller)));
  return { limit: limit.state.limit, latencyMs };
}

test('options that make no sense are refused', () => {
  assert.throws(
    () => new AdaptiveLimit({ min: 0, smoothing: 2 }),
    (thrown) => thrown instanceof HeddleError,
  );
});

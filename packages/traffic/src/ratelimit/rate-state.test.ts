import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { type Command, parseDurationMs, testTranscripts } from '@heddle/kernel/testing';
import fc from 'fast-check';
import type { RateRule } from './rate-rule.ts';
import { forgettableAtMs, type RateState, step } from './rate-state.ts';

testTranscripts(path.join(import.meta.dirname, 'testdata'), () => {
  let rule: RateRule = { algorithm: 'fixed_window', limit: 1, windowMs: 1000 };
  let state: RateState | undefined;
  let nowMs = 0;
  return ({ name, words, options }: Command): string => {
    const [word = ''] = words;
    if (name === 'at') {
      nowMs = parseDurationMs(word);
      return '';
    }
    if (name === 'rule') {
      const numbers = Object.fromEntries([...options].map(([key, value]) => [key, Number(value)]));
      rule = { algorithm: word, ...numbers } as unknown as RateRule;
      state = undefined;
      return '';
    }
    const lines: string[] = [];
    for (let n = Number(options.get('times') ?? 1); n > 0; n--) {
      const next = step(state, Number(options.get('cost') ?? 1), nowMs, rule);
      state = next.state;
      const { admitted, remaining, retryAfterMs, resetMs, delayMs } = next.decision;
      const how = admitted
        ? `admitted${delayMs > 0 ? ` after ${delayMs}ms` : ''}`
        : `refused for ${retryAfterMs}ms`;
      lines.push(`${how}, ${remaining} left, all again in ${resetMs}ms`);
    }
    return lines.join('\n');
  };
});

interface Admitted {
  readonly atMs: number;
  readonly cost: number;
}

const arrivals = fc.array(fc.tuple(fc.oneof(fc.nat(30), fc.nat(400)), fc.integer({ min: 1, max: 3 })), {
  minLength: 1,
  maxLength: 200,
});

/** Runs the arrivals; gives what was admitted, each when it may go on. */
function run(rule: RateRule, plan: readonly (readonly [number, number])[]): Admitted[] {
  let state: RateState | undefined;
  let nowMs = 1_234.5;
  const admitted: Admitted[] = [];
  for (const [waitMs, cost] of plan) {
    nowMs += waitMs;
    // A state that may be forgotten says the same as none.
    if (state !== undefined && forgettableAtMs(state, rule) <= nowMs) {
      const { decision } = step(state, cost, nowMs, rule);
      assert.deepEqual(step(undefined, cost, nowMs, rule).decision.admitted, decision.admitted);
    }
    const next = step(state, cost, nowMs, rule);
    if (next.decision.admitted) admitted.push({ atMs: nowMs + next.decision.delayMs, cost });
    else {
      assert.equal(next.state, state, 'a refused call takes nothing');
      const { retryAfterMs } = next.decision;
      assert.ok(retryAfterMs > 0);
      if (Number.isFinite(retryAfterMs))
        assert.ok(
          step(state, cost, nowMs + retryAfterMs + 0.001, rule).decision.admitted,
          'and is admitted when it says so',
        );
    }
    state = next.state;
  }
  return admitted;
}

const limits = fc.integer({ min: 1, max: 12 });
const windows = fc.constantFrom(100, 250, 1000);

test('property, fixed window: never more than the limit in a window, and the limit is there to be used', () => {
  fc.assert(
    fc.property(arrivals, limits, windows, (plan, limit, windowMs) => {
      const used = new Map<number, number>();
      for (const { atMs, cost } of run({ algorithm: 'fixed_window', limit, windowMs }, plan)) {
        const window = Math.floor(atMs / windowMs);
        used.set(window, (used.get(window) ?? 0) + cost);
      }
      assert.ok([...used.values()].every((sum) => sum <= limit));
    }),
  );
});

test('property, sliding window: never more than the limit in any window, wherever it begins', () => {
  fc.assert(
    fc.property(arrivals, limits, windows, (plan, limit, windowMs) => {
      const admitted = run({ algorithm: 'sliding_window', limit, windowMs }, plan);
      for (const { atMs: end } of admitted) {
        const inside = admitted.filter(({ atMs }) => atMs > end - windowMs && atMs <= end);
        assert.ok(inside.reduce((sum, { cost }) => sum + cost, 0) <= limit);
      }
    }),
  );
});

test('property, buckets: in any span no more than the burst and what comes in meanwhile', () => {
  const burst = fc.integer({ min: 3, max: 20 });
  const algorithm = fc.constantFrom('token_bucket', 'leaky_bucket' as const);
  fc.assert(
    fc.property(arrivals, limits, windows, burst, algorithm, (plan, limit, windowMs, most, kind) => {
      const admitted = run({ algorithm: kind, limit, windowMs, burst: most }, plan);
      for (const [first, { atMs: start }] of admitted.entries()) {
        let sum = 0;
        for (const { atMs, cost } of admitted.slice(first)) {
          sum += cost;
          assert.ok(sum <= most + ((atMs - start) * limit) / windowMs + 1e-3);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('property, queue: calls leave one after the other, evenly, and none waits longer than allowed', () => {
  fc.assert(
    fc.property(arrivals, limits, windows, fc.nat(500), (plan, limit, windowMs, maxDelayMs) => {
      const single = plan.map(([waitMs]) => [waitMs, 1] as const);
      const admitted = run({ algorithm: 'leaky_bucket', limit, windowMs, maxDelayMs }, single);
      for (const [index, { atMs }] of admitted.entries()) {
        const before = admitted[index - 1];
        if (before !== undefined) assert.ok(atMs - before.atMs >= windowMs / limit - 1e-3);
      }
    }),
  );
});

test('under more than the limit, each algorithm admits all that it may', () => {
  const seconds = 20;
  for (const [rule, least] of [
    [{ algorithm: 'fixed_window', limit: 100, windowMs: 1000 }, 100 * seconds],
    [{ algorithm: 'sliding_window', limit: 100, windowMs: 1000 }, 98 * seconds],
    [{ algorithm: 'token_bucket', limit: 100, windowMs: 1000 }, 100 * seconds],
    [{ algorithm: 'leaky_bucket', limit: 100, windowMs: 1000 }, 99 * seconds],
  ] as const) {
    let state: RateState | undefined;
    let admitted = 0;
    for (let nowMs = 0; nowMs < seconds * 1000; nowMs += 2.5) {
      const next = step(state, 1, nowMs, rule);
      state = next.state;
      if (next.decision.admitted) admitted++;
    }
    assert.ok(admitted >= least, `${rule.algorithm}: ${admitted}`);
  }
});

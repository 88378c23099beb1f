// The script in Redis against the store in memory, decision by decision, by one clock.
import assert from 'node:assert/strict';
import type { Runtime } from '@heddle/kernel';
import { seededRandom } from '@heddle/kernel/simulated';
import { MemoryRateStore, type RateAsk, type RateRule, type RateVerdict } from '@heddle/traffic';
import { RedisRateStore } from '@heddle/traffic/redis';
import type { Place } from '../../engines/engine.ts';

const windowMs = 900;
const rules: readonly RateRule[] = [
  { algorithm: 'fixed_window', limit: 7, windowMs },
  { algorithm: 'sliding_window', limit: 7, windowMs },
  { algorithm: 'token_bucket', limit: 7, windowMs, burst: 3.5 },
  { algorithm: 'leaky_bucket', limit: 7, windowMs, burst: 2 },
  { algorithm: 'leaky_bucket', limit: 7, windowMs, maxDelayMs: 300 },
  { algorithm: 'concurrency', limit: 3 },
];

/** A case for each rule alone, and one for several at once. */
export function sameDecisions(
  runtime: Runtime,
  place: Place,
  steps: number,
): { readonly name: string; readonly run: () => Promise<void> }[] {
  const alone = rules.map((rule, seed) => ({
    name: `${rule.algorithm}${'maxDelayMs' in rule ? ' with a queue' : ''}: ${steps} decisions as in memory`,
    run: () => compare(runtime, place, [rule], seed, steps),
  }));
  const together = {
    name: `all of them at once: ${steps} decisions as in memory, all or none`,
    run: () => compare(runtime, place, rules, 99, steps),
  };
  return [...alone, together];
}

async function compare(
  runtime: Runtime,
  place: Place,
  mixed: readonly RateRule[],
  seed: number,
  steps: number,
): Promise<void> {
  const random = seededRandom(seed + 1);
  let nowMs = 1_700_000_000_000;
  const clock = { nowMs: () => nowMs, wallMs: () => nowMs };
  const memory = new MemoryRateStore(clock);
  const prefix = `same-${seed}-${runtime.random.uuid()}:`;
  // Leases last in Redis' own time here, longer than the test.
  const store = new RedisRateStore({
    runtime,
    redis: place,
    prefix,
    clock,
    leaseMs: 86_400_000,
    timeoutMs: 30_000,
  });
  const running: (readonly RateAsk[])[] = [];
  try {
    await store.connect();
    for (let n = 0; n < steps; n++) {
      // Mostly close together, sometimes after a pause longer than a window.
      nowMs += random.float() < 0.02 ? random.float() * 3 * windowMs : random.float() * 60;
      const ending = random.float() < 0.3 ? running.shift() : undefined;
      if (ending !== undefined) {
        memory.release(ending);
        await store.release(ending);
      }
      const asks = asksOf(mixed, random);
      const expected = memory.take(asks);
      const found = await store.take(asks);
      assert.deepEqual(rounded(found), rounded(expected), `decision ${n} of seed ${seed}`);
      if (expected.admitted) running.push(asks);
    }
  } finally {
    store.close();
  }
}

function asksOf(mixed: readonly RateRule[], random: ReturnType<typeof seededRandom>): RateAsk[] {
  const who = random.uint32() % 2;
  return mixed
    .filter(() => mixed.length === 1 || random.float() < 0.6)
    .map((rule, at) => ({
      key: `${at} ${rule.algorithm} ${'maxDelayMs' in rule} who ${who}`,
      rule,
      cost: random.float() < 0.1 ? 2 : 1,
      group: 'a route',
    }));
}

/** Sums of fractions differ in their last digits. */
function rounded({ admitted, decisions }: RateVerdict): object {
  const near = (value: number): number => (Number.isFinite(value) ? Math.round(value * 100) / 100 : value);
  return {
    admitted,
    decisions: decisions.map(({ retryAfterMs, resetMs, delayMs, ...others }) => ({
      ...others,
      retryAfterMs: near(retryAfterMs),
      resetMs: near(resetMs),
      delayMs: near(delayMs),
    })),
  };
}

// What retries do to the world, for a few thousand calls; `npm run sim -- --scenario retried-effects` takes more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareRuntime, seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { type EffectsOptions, type EffectsReport, retriedEffects } from '../testing/index.ts';

const calls = 6000;

function run(seed: number, options: Pick<EffectsOptions, 'declared' | 'alwaysDown'>): Promise<EffectsReport> {
  const time = new VirtualTime();
  const runtime = bareRuntime(time, seed);
  return time.run(retriedEffects({ runtime, chance: seededRandom(seed + 1), calls, ...options }));
}

test('20 % resets and 5 % doubled replies: no payment twice, and repeats within the budget', async () => {
  const { effects, answered, wrong, repeated } = await run(11, { declared: true });
  // A read may be read again; whatever has an effect has it once.
  assert.ok(effects.every((count, number) => number % 3 === 1 || count <= 1));
  assert.ok(
    effects.some((count) => count > 1),
    'reads were',
  );
  assert.ok(repeated > 0 && repeated <= 0.2 * calls + 100, `${repeated} repeated`);
  assert.ok(answered > 0.85 * calls, `${answered} answered`);
  assert.equal(wrong, 0);
});

test('with the declarations off nothing is sent again that may have been received', async () => {
  const { effects, repeated } = await run(12, { declared: false });
  assert.ok(effects.every((count) => count <= 1));
  // What provably reached no handler is: one request in twenty.
  assert.ok(repeated > 0.04 * calls && repeated < 0.065 * calls, `${repeated} repeated`);
});

test('when nothing answers, retries and hedges together stay within the budget', async () => {
  const { repeated, answered } = await run(13, { declared: true, alwaysDown: true });
  assert.equal(answered, 0);
  assert.ok(repeated <= 0.2 * calls + 100, `${repeated} repeated for ${calls} calls`);
  assert.ok(repeated > 0.15 * calls);
});

import { bareRuntime, seededRandom } from '@heddle/kernel/simulated';
import type { Scenario, World } from '@heddle/sim';
import { type EffectsReport, retriedEffects } from '@heddle/traffic/testing';

const calls = 10_000;
// By the budget: a fifth of the calls, and ten a second over its window.
const mostRepeated = 0.2 * calls + 100;

/**
 * Retry and hedge under 20 % resets and 5 % doubled replies, ten thousand calls a seed: whatever has an effect has it
 * once, repeats stay within the budget, and without a declaration only what provably reached no handler is repeated.
 */
export const scenario: Scenario = {
  name: 'retried-effects',
  summary: 'retries and hedges over resets and doubled replies: no effect twice, never above the budget',
  run: async (world) => {
    const declared = await play(world, true);
    if (declared.effects.some((count, number) => number % 3 !== 1 && count > 1))
      world.fail('no effect is applied twice', 'one was');
    if (declared.wrong > 0) world.fail('each gets its own answer', `${declared.wrong} did not`);
    if (declared.repeated > mostRepeated)
      world.fail('repeats stay within the budget', `${declared.repeated} for ${calls} calls`);
    if (declared.answered < 0.85 * calls)
      world.fail('retries are of use', `${declared.answered} of ${calls} answered`);
    const off = await play(world, false);
    if (off.effects.some((count) => count > 1))
      world.fail('nothing is repeated without a declaration', 'it was');
    if (off.repeated > 0.065 * calls)
      world.fail('only what was provably not sent is repeated', `${off.repeated} of ${calls}`);
  },
};

async function play(world: World, declared: boolean): Promise<EffectsReport> {
  let report: EffectsReport | undefined;
  const runtime = bareRuntime(world.time, world.random.uint32());
  const chance = seededRandom(world.random.uint32());
  void retriedEffects({ runtime, chance, calls, declared }).then((made) => {
    report = made;
  });
  await world.runUntil('all calls are settled', 600_000, () => report !== undefined);
  if (report === undefined) throw new Error('unreachable: the condition has come true');
  world.note(`${report.answered} answered, ${report.repeated} repeated`);
  return report;
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualTime } from '@heddle/kernel/simulated';
import { runCampaign } from './campaign.ts';
import { type CommandLine, readCommandLine } from './command-line.ts';
import type { Scenario } from './scenario.ts';

function plan(...args: string[]): CommandLine {
  const read = readCommandLine(args);
  assert.ok(read !== undefined);
  return read;
}

async function run(scenario: Scenario, ...args: string[]): Promise<{ failures: number; printed: string }> {
  const lines: string[] = [];
  const { clock } = new VirtualTime();
  const tools = { clock, watch: () => () => {}, print: (line: string) => lines.push(line) };
  const failures = await runCampaign([scenario], plan(...args), tools);
  return { failures, printed: lines.join('\n') };
}

/** Fails under the seeds that `isBad` names. */
function story(isBad: (seed: number) => boolean): Scenario {
  return {
    name: 'story',
    summary: 'What happened to us.',
    run: async (world) => {
      world.note(`once upon a time, under seed ${world.seed}`);
      if (isBad(world.seed)) world.fail('the end', 'was bad');
      await world.run(1000);
    },
  };
}

test('a good campaign prints what it did', async () => {
  const { failures, printed } = await run(
    story(() => false),
    '--seeds',
    '10',
  );
  assert.equal(failures, 0);
  assert.match(
    printed,
    /^story: What happened to us\.\nstory: 10\/10 seeds, 0 failed, 1 events and 1 simulated s each/,
  );
});

test('a failing seed is printed with the command that shows it again', async () => {
  const { failures, printed } = await run(
    story((seed) => seed === 7),
    '--seeds',
    '10',
  );
  assert.equal(failures, 1);
  assert.match(printed, /FAILED story, seed 7, at 0\.000 ms: the end: was bad/);
  assert.match(printed, /npm run sim -- --scenario story --seed 7/);
  assert.match(printed, /once upon a time, under seed 7/);
  assert.match(printed, /10\/10 seeds, 1 failed/);
});

test('after five failures a scenario is given up', async () => {
  const { failures, printed } = await run(
    story(() => true),
    '--seeds',
    '100',
  );
  assert.equal(failures, 5);
  assert.match(printed, /5\/100 seeds, 5 failed/);
});

test('one seed is shown whole', async () => {
  const { printed } = await run(
    story(() => false),
    '--seed',
    '3',
  );
  assert.match(printed, /world {8}once upon a time, under seed 3\n/);
});

test('a scenario whose runs differ has failed, by the first line that differs', async () => {
  let runs = 0;
  const scenario: Scenario = {
    name: 'moody',
    summary: '',
    run: async (world) => {
      world.note('as always');
      world.note(`run ${runs++}`);
    },
  };
  const { failures, printed } = await run(scenario, '--seeds', '3');
  assert.equal(failures, 1);
  assert.match(printed, /FAILED moody, seed 1: two runs differ from line 2 on:\n.*run 1\n.*run 2/);
});

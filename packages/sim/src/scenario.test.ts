import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '@heddle/kernel';
import { inject, planFaults } from './faults.ts';
import type { Program } from './host.ts';
import { findDifference, runSeed, type Scenario } from './scenario.ts';

/** Two hosts that send each other random numbers, under faults. `chance` is where the numbers come from. */
function chatter(chance?: () => number): Scenario {
  const talk =
    (peer: string): Program =>
    async ({ net, timers, random, log }) => {
      await net.listen({ host: '0.0.0.0', port: 1 }, (connection) => {
        const data = (chunk: Uint8Array): void =>
          log('info', 'heard', { text: new TextDecoder().decode(chunk) });
        connection.open({ data, end: () => connection.end(), drain: () => {}, close: () => {} });
      });
      for (;;) {
        await sleep(timers, 20 + random.float() * 100);
        await net.connect({ host: peer, port: 1 }, { timeoutMs: 200 }).then(
          (connection) => {
            connection.open({ data: () => {}, end: () => {}, drain: () => {}, close: () => {} });
            connection.write(new TextEncoder().encode(String(chance?.() ?? random.float())));
            connection.end();
          },
          (error: unknown) => log('warn', 'no connection', { error }),
        );
      }
    };
  return {
    name: 'chatter',
    summary: 'Two hosts talk.',
    run: async (world) => {
      world.host('a').run(talk('b'));
      world.host('b').run(talk('a'));
      const plan = { hosts: ['a', 'b'], fromMs: 100, untilMs: 4000, everyMs: 300, longestMs: 800 };
      inject(world, planFaults(world.random, plan));
      await world.run(5000);
    },
  };
}

test('the same seed gives the same transcript, faults and all; another seed another', async () => {
  for (let seed = 0; seed < 10; seed++) assert.equal(await findDifference(chatter(), seed), undefined);
  const [one, two] = [await runSeed(chatter(), 1), await runSeed(chatter(), 2)];
  assert.ok(one.lines.length > 100, `${one.lines.length} lines`);
  assert.notDeepEqual(one.lines, two.lines);
});

test('chance from outside the runtime is found by comparing two runs', async () => {
  // The house rule forbids Math.random; this has its effect: numbers that no seed governs.
  let outside = 0.5;
  const difference = await findDifference(
    chatter(() => {
      outside = (outside * 997 + 0.1) % 1;
      return outside;
    }),
    1,
  );
  assert.ok(difference !== undefined);
  assert.match(difference.first ?? '', /data .* bytes #|heard/);
  assert.notEqual(difference.first, difference.second);
});

test('state kept outside of a run is found too', async () => {
  const seen = new Set<number>();
  const scenario: Scenario = {
    name: 'leaky',
    summary: 'Remembers what it should not.',
    run: async (world) => {
      world.note(seen.has(world.seed) ? 'again' : 'first time');
      seen.add(world.seed);
    },
  };
  const difference = await findDifference(scenario, 3);
  assert.equal(difference?.line, 0);
});

test('a scenario that throws by itself is reported as a failure of its seed', async () => {
  const run = (): Promise<void> => Promise.reject(new Error('a mistake in the story'));
  const { failure } = await runSeed({ name: 'broken', summary: '', run }, 5);
  assert.match(
    failure?.message ?? '',
    /broken, seed 5, at 0\.000 ms: scenario: Error: a mistake in the story/,
  );
});

test('rejections that nobody handles belong to the seed that is running', async () => {
  const scenario: Scenario = { name: 'careless', summary: '', run: (world) => world.run(100) };
  let report: (thrown: unknown) => void = () => {};
  let stopped = false;
  const running = runSeed(scenario, 1, (listener) => {
    report = listener;
    return () => {
      stopped = true;
    };
  });
  report(new Error('nobody caught me'));
  assert.match((await running).failure?.message ?? '', /uncaught: Error: nobody caught me/);
  assert.equal(stopped, true);
});

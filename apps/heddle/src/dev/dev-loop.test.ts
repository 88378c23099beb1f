import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualTime } from '@heddle/kernel/simulated';
import { DevLoop } from './dev-loop.ts';

interface Started {
  readonly log: string[];
  readonly loop: DevLoop;
  readonly time: VirtualTime;
  readonly die: (how: string) => void;
}

const drainMs = 1000;

function started(): Started {
  const time = new VirtualTime();
  const log: string[] = [];
  let die = (_how: string): void => {};
  let count = 0;
  const loop = new DevLoop({
    timers: time.timers,
    say: (text) => log.push(text),
    start: () => {
      const name = `process ${++count}`;
      log.push(`${name} starts`);
      const ended = new Promise<string>((resolve) => {
        die = resolve;
      });
      const stop = async (): Promise<void> => {
        await new Promise<void>((resolve) => time.timers.after(drainMs, resolve));
        log.push(`${name} has drained`);
        die('');
      };
      return { ended, stop };
    },
  });
  loop.start();
  return { log, loop, time, die: (how) => die(how) };
}

test('changes that come together are one restart, after a drain', async () => {
  const { log, loop, time } = started();
  loop.changed('a.ts');
  await time.advance(100);
  loop.changed('b.ts');
  await time.advance(5000);
  assert.deepEqual(log, [
    'process 1 starts',
    'b.ts has changed; draining',
    'process 1 has drained',
    'process 2 starts',
  ]);
});

test('what changes while it drains is in the next process, which starts once', async () => {
  const { log, loop, time } = started();
  loop.changed('a.ts');
  await time.advance(500);
  loop.changed('b.ts');
  await time.advance(10_000);
  assert.deepEqual(
    log.filter((line) => line.endsWith('starts')),
    ['process 1 starts', 'process 2 starts'],
  );
});

test('a process that ends by itself stays down until something changes', async () => {
  const { log, loop, time, die } = started();
  die('ended with exit code 1');
  await time.advance(60_000);
  assert.deepEqual(log, ['process 1 starts', 'ended with exit code 1; waiting for a change']);
  loop.changed('a.ts');
  await time.advance(5000);
  assert.equal(log.at(-1), 'process 2 starts');
});

test('nothing is started after the end', async () => {
  const { log, loop, time } = started();
  loop.changed('a.ts');
  const stopped = loop.stop();
  await time.advance(10_000);
  await stopped;
  loop.changed('b.ts');
  await time.advance(10_000);
  assert.deepEqual(log, ['process 1 starts', 'process 1 has drained']);
});

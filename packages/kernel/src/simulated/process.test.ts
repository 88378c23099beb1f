import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../sleep.ts';
import { SimulatedProcess } from './process.ts';
import { VirtualTime } from './virtual-time.ts';

function make(): { time: VirtualTime; process: SimulatedProcess; log: string[] } {
  const time = new VirtualTime();
  return { time, process: new SimulatedProcess(time), log: [] };
}

test('a paused process stands still; its clock goes on; what fell due runs first, in order', async () => {
  const { time, process, log } = make();
  for (const delayMs of [30, 10, 20]) {
    process.timers.after(delayMs, () => log.push(`${delayMs} at ${process.clock.nowMs()}`));
  }
  await time.advance(5);
  process.pause();
  await time.advance(20);
  assert.deepEqual(log, []);
  process.resume();
  assert.deepEqual(log, []);
  await time.advance(5);
  assert.deepEqual(log, ['10 at 25', '20 at 25', '30 at 30']);
});

test('a timer that fell due in the pause can still be cancelled by one before it', async () => {
  const { time, process, log } = make();
  process.timers.after(10, () => second.cancel());
  const second = process.timers.after(20, () => log.push('cancelled'));
  process.pause();
  await time.advance(100);
  process.resume();
  await time.advance(100);
  assert.deepEqual(log, []);
});

test('what comes while the queue of the pause is worked off waits behind it', async () => {
  const { time, process, log } = make();
  process.pause();
  process.enter(() => log.push('one'));
  process.enter(() => log.push('two'));
  process.resume();
  process.enter(() => log.push('three'));
  await time.advance(0);
  assert.deepEqual(log, ['one', 'two', 'three']);
});

test('a pause during the working off holds the rest back', async () => {
  const { time, process, log } = make();
  process.pause();
  process.enter(() => {
    log.push('one');
    process.pause();
  });
  process.enter(() => log.push('two'));
  process.resume();
  await time.advance(10);
  assert.deepEqual(log, ['one']);
  process.resume();
  await time.advance(10);
  assert.deepEqual(log, ['one', 'two']);
});

test('after its end nothing enters, and code stops at its next wait', async () => {
  const { time, process, log } = make();
  const program = async (): Promise<void> => {
    for (;;) {
      await sleep(process.timers, 10);
      log.push(`tick ${process.clock.nowMs()}`);
    }
  };
  void program();
  const deaths: string[] = [];
  process.onDeath((death) => deaths.push(death));
  await time.advance(25);
  process.end('killed');
  process.end('power');
  process.enter(() => log.push('entered'));
  process.timers.soon(() => log.push('soon'));
  process.timers.after(1, () => log.push('after')).cancel();
  process.resume();
  await time.advance(1000);
  assert.deepEqual(log, ['tick 10', 'tick 20']);
  assert.deepEqual(deaths, ['killed']);
  assert.equal(process.alive, false);
});

test('the time of day can jump; the clock of leases and deadlines does not notice', async () => {
  const { time, process } = make();
  const [now, wall] = [process.clock.nowMs(), process.clock.wallMs()];
  process.jumpWall(-3_600_000);
  assert.equal(process.clock.nowMs(), now);
  assert.equal(process.clock.wallMs(), wall - 3_600_000);
  await time.advance(10);
  assert.equal(process.clock.wallMs(), wall - 3_600_000 + 10);
});

test('what a task throws goes to onUncaught', async () => {
  const time = new VirtualTime();
  const mistakes: unknown[] = [];
  const process = new SimulatedProcess(time, { onUncaught: (mistake) => mistakes.push(mistake) });
  const mistake = new Error('a mistake');
  process.timers.soon(() => {
    throw mistake;
  });
  await time.advance(0);
  assert.deepEqual(mistakes, [mistake]);
});

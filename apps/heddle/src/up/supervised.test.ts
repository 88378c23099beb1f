import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Runtime } from '@heddle/kernel';
import { seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import type { Child, Ended, Processes, Program } from './program.ts';
import { died, noFailures } from './restart-delay.ts';
import { Supervised } from './supervised.ts';

const program: Program = { name: 'order-1', file: 'x', args: [], env: {}, readyMs: 5000, stopMs: 3000 };

/** Processes whose life the test directs; the real ones are in `node/processes.it.test.ts`. */
class Stage implements Processes {
  readonly time = new VirtualTime();
  readonly notes: string[] = [];
  readonly actors: Actor[] = [];
  readonly supervised: Supervised;

  constructor() {
    const { clock, timers } = this.time;
    const runtime = { clock, timers, random: seededRandom(1) } as unknown as Runtime;
    this.supervised = new Supervised(program, this, runtime, (text) => this.notes.push(text));
  }

  start(): Child {
    const actor = new Actor(this.actors.length + 1);
    this.actors.push(actor);
    return actor;
  }

  get last(): Actor {
    const last = this.actors.at(-1);
    assert.ok(last);
    return last;
  }
}

class Actor implements Child {
  readonly pid: number;
  readonly signals: string[] = [];
  lastLines: string[] = [];
  say: (facts: Record<string, string>) => void = () => {};
  end: (ended: Ended) => void = () => {};
  readonly ready: Promise<Record<string, string>> = new Promise((resolve) => {
    this.say = resolve;
  });
  readonly ended: Promise<Ended> = new Promise((resolve) => {
    this.end = resolve;
  });

  constructor(pid: number) {
    this.pid = pid;
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    this.signals.push(name);
    if (name === 'SIGKILL') this.end({ code: null, signal: name });
  }
}

describe('a start', () => {
  test('is done when the program says so', async () => {
    const stage = new Stage();
    const started = stage.supervised.start();
    stage.last.say({ url: 'u' });
    assert.deepEqual(await stage.time.run(started), { url: 'u' });
  });

  test('that ends early rejects with the last lines', async () => {
    const stage = new Stage();
    const started = stage.supervised.start();
    stage.last.lastLines = ['first', 'the port is taken'];
    stage.last.end({ code: 1, signal: null });
    await assert.rejects(stage.time.run(started), {
      reason: 'PROGRAM_FAILED',
      message:
        /^order-1 ended with exit code 1 before it was ready\. The last it wrote:\n {4}first\n {4}the port is taken$/,
    });
  });

  test('that takes too long is killed', async () => {
    const stage = new Stage();
    await assert.rejects(stage.time.run(stage.supervised.start()), { message: /was not ready within 5 s/ });
    assert.deepEqual(stage.last.signals, ['SIGKILL']);
    assert.equal(stage.time.clock.nowMs(), 5000);
  });
});

describe('a program that dies', () => {
  test('is started again, with growing pauses, and said to be', async () => {
    const stage = new Stage();
    const started = stage.supervised.start();
    stage.last.say({});
    await stage.time.run(started);
    stage.last.end({ code: null, signal: 'SIGKILL' });
    await stage.time.advance(499);
    assert.equal(stage.actors.length, 1);
    await stage.time.advance(1);
    assert.equal(stage.actors.length, 2);
    stage.last.end({ code: 1, signal: null });
    await stage.time.advance(1000);
    assert.equal(stage.actors.length, 3);
    stage.last.say({});
    await stage.time.advance(0);
    assert.deepEqual(stage.notes, [
      'order-1 was killed by SIGKILL; starting it again in 0.5 s',
      'order-1 ended with exit code 1 before it was ready; trying again in 1 s',
      'order-1 is back after 0.0 s',
    ]);
  });

  test('stays dead once it was stopped', async () => {
    const stage = new Stage();
    const started = stage.supervised.start();
    stage.last.say({});
    await stage.time.run(started);
    stage.last.end({ code: 1, signal: null });
    await stage.time.advance(100);
    await stage.time.run(stage.supervised.stop());
    await stage.time.advance(60_000);
    assert.equal(stage.actors.length, 1);
  });

  test('pauses from half a second to ten, anew after a good run', () => {
    let failures = noFailures;
    const delays: number[] = [];
    for (const ranMs of [0, 0, 0, 0, 0, 0, 0, 30_000, 0]) {
      const next = died(failures, ranMs);
      failures = next.failures;
      delays.push(next.delayMs);
    }
    assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 10_000, 10_000, 500, 1000]);
  });
});

describe('a stop', () => {
  test('lets the program drain', async () => {
    const stage = new Stage();
    const started = stage.supervised.start();
    stage.last.say({});
    await stage.time.run(started);
    const stopping = stage.supervised.stop();
    stage.last.end({ code: 0, signal: null });
    assert.equal(await stage.time.run(stopping), 'drained');
    assert.deepEqual(stage.last.signals, ['SIGTERM']);
  });

  test('kills what does not end', async () => {
    const stage = new Stage();
    const started = stage.supervised.start();
    stage.last.say({});
    await stage.time.run(started);
    assert.equal(await stage.time.run(stage.supervised.stop()), 'killed');
    assert.deepEqual(stage.last.signals, ['SIGTERM', 'SIGKILL']);
    assert.equal(stage.time.clock.nowMs(), 3000);
  });
});

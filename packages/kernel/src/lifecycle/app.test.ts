import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '../error.ts';
import { bareRuntime } from '../simulated/bare-runtime.ts';
import { VirtualTime } from '../simulated/virtual-time.ts';
import { sleep } from '../sleep.ts';
import { App, type AppOptions, type Part, type Registration } from './app.ts';

const broken = new HeddleError({
  code: 'failed_precondition',
  reason: 'ADDRESS_IN_USE',
  message: 'port 1 is taken',
});

/** A world with a clock, a diary that all parts write into, and parts whose steps take or fail as told. */
function world(): {
  time: VirtualTime;
  diary: string[];
  part: (name: string, how?: { fails?: string; takesMs?: number }) => Part;
  registration: (name: string, how?: { fails?: string; takesMs?: number }) => Registration;
  app: (options: Partial<AppOptions>) => App;
} {
  const time = new VirtualTime();
  const diary: string[] = [];
  const step = async (
    name: string,
    what: string,
    how: { fails?: string; takesMs?: number } = {},
  ): Promise<void> => {
    diary.push(`${time.clock.nowMs()} ${what} ${name}`);
    if (how.takesMs !== undefined) await sleep(time.timers, how.takesMs);
    if (how.fails === what) throw broken;
  };
  return {
    time,
    diary,
    part: (name, how) => ({
      name,
      start: () => step(name, 'start', how),
      drain: () => step(name, 'drain', how),
      stop: () => step(name, 'stop', how),
    }),
    registration: (name, how) => ({
      name,
      register: () => step(name, 'register', how),
      deregister: () => step(name, 'deregister', how),
    }),
    app: (options) => new App({ name: 'shop', runtime: bareRuntime(time), parts: [], ...options }),
  };
}

test('starts in order, registers; deregisters, waits to be forgotten, drains, stops in reverse', async () => {
  const { time, diary, part, registration, app } = world();
  const shop = app({ parts: [part('store'), part('server')], registrations: [registration('order')] });
  await time.run(shop.start());
  assert.equal(shop.state, 'running');
  const report = await time.run(shop.stop());
  assert.deepEqual(report.problems, []);
  assert.equal(shop.state, 'stopped');
  assert.deepEqual(diary, [
    '0 start store',
    '0 start server',
    '0 register order',
    '0 deregister order',
    '1000 drain store',
    '1000 drain server',
    '1000 stop server',
    '1000 stop store',
  ]);
});

test('with nothing registered there is nobody to wait for', async () => {
  const { time, diary, part, app } = world();
  const shop = app({ parts: [part('server')] });
  await time.run(shop.start());
  await time.run(shop.stop());
  assert.deepEqual(diary, ['0 start server', '0 drain server', '0 stop server']);
});

describe('a failing start', () => {
  test('stops what had started, in reverse, and throws the reason', async () => {
    const { time, diary, part, app } = world();
    const shop = app({ parts: [part('a'), part('b'), part('c', { fails: 'start' }), part('d')] });
    await assert.rejects(time.run(shop.start()), broken);
    assert.equal(shop.state, 'failed');
    assert.deepEqual(diary.slice(3), ['0 drain a', '0 drain b', '0 stop b', '0 stop a']);
  });

  test('takes back a registration that may stand', async () => {
    const { time, diary, part, registration, app } = world();
    const shop = app({ parts: [part('a')], registrations: [registration('r', { fails: 'register' })] });
    await assert.rejects(time.run(shop.start()), broken);
    assert.ok(diary.includes('0 deregister r'));
    assert.ok(diary.includes('0 stop a'));
  });
});

describe('on the way down', () => {
  test('a drain that takes too long is cut short, reported, and the stop goes on', async () => {
    const { time, diary, part, app } = world();
    const slow = part('slow');
    slow.drain = () => sleep(time.timers, 60_000);
    const shop = app({ parts: [part('a'), slow], drainMs: 3000 });
    await time.run(shop.start());
    const { problems } = await time.run(shop.stop());
    assert.deepEqual(
      problems.map((problem) => `${problem.name}: ${problem.error.reason}`),
      ['slow: STEP_TOO_SLOW'],
    );
    assert.deepEqual(diary.slice(-2), ['3000 stop slow', '3000 stop a']);
  });

  test('a step that fails is reported and the rest is still stopped', async () => {
    const { time, diary, part, registration, app } = world();
    const parts = [part('a'), part('b', { fails: 'stop' })];
    const shop = app({ parts, registrations: [registration('r', { fails: 'deregister' })] });
    await time.run(shop.start());
    const { problems } = await time.run(shop.stop());
    assert.deepEqual(
      problems.map((problem) => problem.name),
      ['r', 'b'],
    );
    assert.equal(diary.at(-1), '1000 stop a');
  });

  test('stopping twice is stopping once', async () => {
    const { time, diary, part, app } = world();
    const shop = app({ parts: [part('a')] });
    await time.run(shop.start());
    const [first, second] = await time.run(Promise.all([shop.stop(), shop.stop()]));
    assert.equal(first, second);
    assert.deepEqual(diary.filter((line) => line.endsWith('stop a')).length, 1);
  });

  test('a stop during the start lets the step in hand finish, starts no more, and stops what runs', async () => {
    const { time, diary, part, app } = world();
    const shop = app({ parts: [part('a', { takesMs: 100 }), part('b')] });
    const starting = assert.rejects(shop.start(), { code: 'cancelled', reason: 'STOPPED' });
    await time.advance(10);
    await time.run(shop.stop());
    await starting;
    assert.ok(!diary.some((line) => line.endsWith(' b')));
    assert.ok(diary.some((line) => line.endsWith('stop a')));
    assert.equal(shop.state, 'stopped');
  });

  test('a stop before the start leaves nothing to start', async () => {
    const { time, part, app } = world();
    const shop = app({ parts: [part('a')] });
    await time.run(shop.stop());
    await assert.rejects(shop.start(), { reason: 'ALREADY_STARTED' });
  });

  test('a second start is refused', async () => {
    const { time, part, app } = world();
    const shop = app({ parts: [part('a')] });
    await time.run(shop.start());
    await assert.rejects(shop.start(), { reason: 'ALREADY_STARTED' });
  });
});

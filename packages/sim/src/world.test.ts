import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, Runtime } from '@heddle/kernel';
import { sleep } from '@heddle/kernel';
import { SimulationFailure } from './failure.ts';
import { simulate, type World } from './world.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Answers each chunk with itself. */
const echo = async ({ net }: Runtime): Promise<void> => {
  await net.listen({ host: '0.0.0.0', port: 7 }, (connection) => {
    connection.open({
      data: (chunk) => connection.write(chunk),
      end: () => connection.end(),
      drain: () => {},
      close: () => {},
    });
  });
};

/** Says hello every 100 ms, on one connection after another, and logs what comes back. */
const greeter = async ({ net, timers, log }: Runtime): Promise<void> => {
  for (;;) {
    await sleep(timers, 100);
    try {
      const connection = await net.connect({ host: 'server', port: 7 }, { timeoutMs: 300 });
      listen(connection, (text) => log('info', 'answer', { text }));
      connection.write(encode('hello'));
      await sleep(timers, 50);
      connection.destroy();
    } catch (error) {
      log('warn', 'no connection', { error });
    }
  }
};

function listen(connection: Connection, heard: (text: string) => void): void {
  connection.open({
    data: (chunk) => heard(new TextDecoder().decode(chunk)),
    end: () => {},
    drain: () => {},
    close: () => {},
  });
}

const linesWith = (world: World, text: string): number =>
  world.transcript.lines.filter((line) => line.includes(text)).length;

test('programs talk; a partition stops them; healing lets them go on', async () => {
  const world = simulate({ seed: 1 });
  world.host('server').run(echo);
  world.host('client').run(greeter);
  await world.run(1000);
  const before = linesWith(world, 'info: answer');
  assert.ok(before >= 5, world.transcript.lines.join('\n'));
  const heal = world.network.partition('client', 'server');
  assert.equal(world.network.connected('client', 'server'), false);
  await world.run(2000);
  assert.equal(linesWith(world, 'info: answer'), before);
  assert.ok(linesWith(world, 'no answer within 300 ms') >= 3);
  heal();
  await world.run(1000);
  assert.ok(linesWith(world, 'info: answer') > before);
  await world.end();
});

test('cuts add up: a link is whole again when the last of them is healed', () => {
  const world = simulate({ seed: 1 });
  const first = world.network.partition('a', 'b');
  const second = world.network.partitionOneWay('a', 'b');
  first();
  assert.equal(world.network.connected('a', 'b'), false);
  second();
  assert.equal(world.network.connected('a', 'b'), true);
  world.network.partition('a', 'b');
  world.network.heal();
  assert.equal(world.network.connected('a', 'b'), true);
});

test('a crashed program stops, and starts again with the disk it left', async () => {
  const world = simulate({ seed: 1 });
  const host = world.host('a');
  host.run(async ({ disk, log, timers }) => {
    const count = Number(new TextDecoder().decode(await disk.read('count'))) + 1;
    await disk.replace('count', encode(String(count)));
    log('info', `start ${count}`);
    await sleep(timers, 1000);
    log('info', 'never, if it crashes every second');
  });
  for (let round = 0; round < 3; round++) {
    await world.run(900);
    host.crash();
    assert.equal(host.running, false);
    await world.run(900);
    host.restart();
  }
  await world.run(500);
  assert.deepEqual(
    world.transcript.lines.filter((line) => line.includes('info:')).map((line) => line.slice(25)),
    ['info: start 1', 'info: start 2', 'info: start 3', 'info: start 4'],
  );
  assert.equal(host.starts, 4);
});

test('a crash at the n-th disk operation happens within it', async () => {
  for (let count = 1; count <= 4; count++) {
    const world = simulate({ seed: count });
    const host = world.host('a');
    host.crashAtDiskOperation(count);
    let done = 0;
    host.run(async ({ disk }) => {
      for (let write = 1; write <= 10; write++) {
        await disk.replace(`file-${write}`, encode('x'));
        done = write;
      }
    });
    await world.run(1000);
    assert.equal(done, count - 1);
    assert.equal(host.running, false);
  }
});

test('a paused program stands still and then catches up; a clock jump moves only the time of day', async () => {
  const world = simulate({ seed: 1 });
  const host = world.host('a');
  host.run(async ({ clock, timers, log }) => {
    for (;;) {
      await sleep(timers, 100);
      log('info', 'tick', { now: Math.round(clock.nowMs()), hour: new Date(clock.wallMs()).getUTCHours() });
    }
  });
  await world.run(250);
  host.pause(400);
  assert.equal(host.paused, true);
  await world.run(300);
  host.clockJump(3_600_000);
  await world.run(400);
  assert.deepEqual(
    world.transcript.lines.filter((line) => line.includes('tick')).map((line) => line.slice(36)),
    [
      '{"now":100,"hour":0}',
      '{"now":200,"hour":0}',
      '{"now":650,"hour":1}',
      '{"now":750,"hour":1}',
      '{"now":850,"hour":1}',
      '{"now":950,"hour":1}',
    ],
  );
});

test('a broken check fails with the seed, the way to see it again, and what happened last', async () => {
  const world = simulate({ seed: 42, scenario: 'story' });
  let level = 0;
  world.check('level stays low', () => {
    if (level > 2) throw new Error(`level is ${level}`);
  });
  for (const atMs of [100, 200, 300]) {
    world.at(atMs, () => {
      level++;
      world.note(`level ${level}`);
    });
  }
  await assert.rejects(world.run(1000), (error: unknown) => {
    assert.ok(error instanceof SimulationFailure);
    assert.match(error.message, /story, seed 42, at 300\.000 ms: level stays low: level is 3/);
    assert.match(error.message, /npm run sim -- --scenario story --seed 42/);
    assert.match(error.message, /level 1\n.*level 2\n.*level 3/);
    return true;
  });
  assert.equal(world.nowMs, 300);
  await assert.rejects(world.run(1), SimulationFailure);
});

test('what must come true in time fails when it does not', async () => {
  const world = simulate({ seed: 1 });
  let ready = false;
  world.eventually('ready', 500, () => ready);
  world.after(400, () => {
    ready = true;
  });
  await world.run(1000);
  world.eventually('ready again', 500, () => false);
  await assert.rejects(world.run(1000), /ready again: not by 1500 ms/);
  const other = simulate({ seed: 1 });
  other.eventually('open', 500, () => false);
  await other.run(100);
  await assert.rejects(other.end(), /open: had not come true when the world ended/);
  const third = simulate({ seed: 1 });
  await assert.rejects(
    third.runUntil('never', 200, () => false),
    /never: not within 200 ms/,
  );
});

test('what a program throws, at once, later or from a timer, fails the world', async () => {
  const programs: ((runtime: Runtime) => Promise<void> | void)[] = [
    () => {
      throw new Error('a mistake');
    },
    async ({ timers }) => {
      await sleep(timers, 10);
      throw new Error('a mistake');
    },
    ({ timers }) => {
      timers.after(10, () => {
        throw new Error('a mistake');
      });
    },
  ];
  for (const program of programs) {
    const world = simulate({ seed: 1 });
    world.host('a').run(program);
    await assert.rejects(world.run(100), /a: Error: a mistake/);
  }
});

test('a host runs one program at a time', () => {
  const world = simulate({ seed: 1 });
  world.host('a').run(echo);
  assert.throws(() => world.host('a').run(echo), /runs a program already/);
});

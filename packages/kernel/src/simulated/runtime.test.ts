import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Runtime } from '../ports/runtime.ts';
import { sleep } from '../sleep.ts';
import { ConnectionRecorder } from '../testing/connection-recorder.ts';
import { forkSeed, simulatedRuntime } from './runtime.ts';
import { seededRandom } from './seeded-random.ts';

/** Uses every port once, and says what it saw. */
async function useAll({ clock, timers, random, net, disk, log }: Runtime): Promise<string> {
  let far: ConnectionRecorder | undefined;
  const listener = await net.listen({ host: 'local', port: 0 }, (connection) => {
    far = new ConnectionRecorder(connection, { echo: true });
  });
  const near = new ConnectionRecorder(await net.connect(listener.address));
  near.write(random.bytes(10));
  await near.until(() => near.bytes === 10);
  near.connection.end();
  await near.closed;
  await far?.closed;
  await disk.replace('file', near.content);
  await sleep(timers, 1000);
  log('info', 'done');
  return `${clock.nowMs()} ${Buffer.from((await disk.read('file')) ?? []).toString('hex')} ${random.uuid()}`;
}

test('a whole process in virtual time: the same seed, the same run', async () => {
  const run = async (seed: number): Promise<string> => {
    const runtime = simulatedRuntime({ seed });
    return runtime.time.run(useAll(runtime));
  };
  assert.equal(await run(7), await run(7));
  assert.notEqual(await run(7), await run(8));
});

test('log lines go where they are wanted', async () => {
  const lines: string[] = [];
  const runtime = simulatedRuntime({ log: (level, message) => lines.push(`${level} ${message}`) });
  await runtime.time.run(useAll(runtime));
  assert.deepEqual(lines, ['info done']);
});

test('its process can be ended: what waits then waits for ever', async () => {
  const runtime = simulatedRuntime();
  let ended = false;
  void useAll(runtime).then(() => {
    ended = true;
  });
  await runtime.time.advance(1);
  runtime.process.end('power');
  await runtime.time.advance(100_000);
  assert.equal(ended, false);
});

test('forked seeds differ by part and by seed, and give unrelated numbers', () => {
  const seeds = new Set<number>();
  for (let seed = 0; seed < 100; seed++) {
    for (const part of ['network', 'disk', 'a, start 1', 'a, start 2']) seeds.add(forkSeed(seed, part));
  }
  assert.equal(seeds.size, 400);
  const [one, two] = [seededRandom(forkSeed(1, 'a, start 1')), seededRandom(forkSeed(1, 'a, start 2'))];
  let equalBits = 0;
  for (let draw = 0; draw < 1000; draw++) {
    for (let same = ~(one.uint32() ^ two.uint32()) >>> 0; same !== 0; same &= same - 1) equalBits++;
  }
  assert.ok(Math.abs(equalBits - 16_000) < 600, `${equalBits} of 32000 bits agree`);
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HeddleError, sleep } from '@heddle/kernel';
import { createTransport } from './client/create-transport.ts';
import { createClient } from './connect/create-client.ts';
import { EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { EchoFleet } from './testing/node/echo-fleet.ts';

// A process that is stopped is a process whose event loop is blocked: its sockets are open, and nothing comes back.

let fleet: EchoFleet;
before(async () => {
  fleet = await EchoFleet.open();
});
after(() => fleet.close());

test('a blocked event loop: within a second the calls go to the other instances, and come back when it runs again', {
  timeout: 60_000,
}, async () => {
  const { runtime, registry } = fleet;
  const [, , c] = await Promise.all(['a', 'b', 'c'].map((id) => fleet.start(id)));
  assert.ok(c !== undefined);
  const transport = createTransport({
    runtime,
    registry,
    target: 'discovery:///echo',
    policy: 'least_request',
    attempts: 1,
    outliers: { consecutiveFailures: 3, ejectMs: 500, maxEjectedShare: 0.5 },
  });
  const echo = createClient(EchoService, transport);
  const call = async (): Promise<string> => {
    try {
      return (await echo.append({ text: 'x' }, { timeoutMs: 400 })).instance;
    } catch (thrown) {
      return HeddleError.from(thrown).reason;
    }
  };
  /** Open loop: a call every five milliseconds, whatever became of the others. */
  const during = async (ms: number): Promise<string[]> => {
    const calls: Promise<string>[] = [];
    for (const endMs = runtime.clock.nowMs() + ms; runtime.clock.nowMs() < endMs; ) {
      calls.push(call());
      await sleep(runtime.timers, 5);
    }
    return Promise.all(calls);
  };
  assert.deepEqual([...new Set(await during(500))].toSorted(), ['a', 'b', 'c']);
  c.signal('SIGSTOP');
  await during(1000);
  const later = await during(400);
  assert.deepEqual([...new Set(later)].toSorted(), ['a', 'b'], 'after a second nobody waits for it');
  c.signal('SIGCONT');
  for (let n = 0; n < 200 && !(await during(50)).includes('c'); n++);
  assert.ok((await during(300)).includes('c'), 'it is used again');
  transport.close();
});

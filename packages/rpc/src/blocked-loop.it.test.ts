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
  // No lease runs out: what spares the callers is their own ejection.
  fleet = await EchoFleet.open(60_000);
});
after(() => fleet.close());

test('a blocked event loop: the calls go to the other instances, and come back when it runs again', {
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
    outliers: { consecutiveFailures: 3, ejectMs: 2000, maxEjectedShare: 0.5 },
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
  /** Until a window is as it should be; how long that takes is the machine's affair. */
  const until = async (
    windowMs: number,
    right: (answers: ReadonlySet<string>) => boolean,
  ): Promise<boolean> => {
    for (let windows = 0; windows < 200; windows++) if (right(new Set(await during(windowMs)))) return true;
    return false;
  };
  assert.ok(await until(100, ({ size }) => size === 3), 'all three are used');
  c.signal('SIGSTOP');
  const spared = (answers: ReadonlySet<string>): boolean =>
    answers.size === 2 && answers.has('a') && answers.has('b');
  // Longer than a call's deadline, and within the time that it is left out.
  assert.ok(await until(500, spared), 'nobody waits for it any more');
  c.signal('SIGCONT');
  assert.ok(await until(50, (answers) => answers.has('c')), 'it is used again');
  transport.close();
});

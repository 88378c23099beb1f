import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, HeddleError, perform, type Service, settle, sleep } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { timeout } from './timeout.ts';

const never: Service<string, string> = () => new Promise(() => {});

test('a call in time passes, and leaves no timer behind', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const service: Service<string, string> = async (req, call) => {
    await sleep(call.runtime.timers, 40, call);
    return req;
  };
  const call = Call.root(runtime);
  assert.equal(await time.run(perform(timeout<string, string>({ ms: 50 })(service), 'x', call)), 'x');
  assert.equal(time.pending, 0);
  assert.deepEqual(call.outcome, { error: undefined });
});

test('rejects at the given time even if nothing heeds the cancel', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const result = await time.run(settle(timeout<string, string>({ ms: 50 })(never), 'x', Call.root(runtime)));
  assert.equal(result.ok ? 'ok' : result.error.code, 'deadline_exceeded');
  assert.equal(time.clock.nowMs(), 50);
});

test('the deadline of the call holds when it is earlier, and without ms', async () => {
  for (const layer of [timeout<string, string>({ ms: 50 }), timeout<string, string>()]) {
    const time = new VirtualTime();
    const runtime = bareRuntime(time);
    await time.run(settle(layer(never), 'x', Call.root(runtime, 20)));
    assert.equal(time.clock.nowMs(), 20);
  }
});

test('what is below sees the deadline and the cancel', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  let below: Call | undefined;
  const service: Service<string, string> = (_req, call) => {
    below = call;
    return new Promise((_, reject) => call.onCancel(reject));
  };
  await time.run(settle(timeout<string, string>({ ms: 50 })(service), 'x', Call.root(runtime, 1000)));
  assert.equal(below?.deadlineMs, 50);
  assert.equal(below?.cancelled?.reason, 'DEADLINE_EXCEEDED');
  assert.notEqual(below?.outcome, undefined);
});

test('a call that comes too late is not passed on', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  await time.advance(10);
  let called = false;
  const service: Service<string, string> = async () => {
    called = true;
    return 'x';
  };
  const result = await time.run(settle(timeout<string, string>()(service), 'x', Call.root(runtime, 5)));
  assert.equal(called, false);
  assert.equal(result.ok ? undefined : result.error.sent, false);
});

test('the time runs until the last byte: a response that has begun is cancelled', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  let below: Call | undefined;
  const service: Service<string, string> = async (_req, call) => {
    below = call;
    call.deferEnd();
    call.onCancel((error) => call.end(error));
    return 'begun';
  };
  const call = Call.root(runtime);
  assert.equal(await time.run(perform(timeout<string, string>({ ms: 50 })(service), 'x', call)), 'begun');
  await time.advance(49);
  assert.equal(below?.cancelled, undefined);
  await time.advance(1);
  assert.equal(call.outcome?.error?.code, 'deadline_exceeded');
});

test('after the time the call below still counts until it has really ended', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  let ended = false;
  const service: Service<string, string> = async (_req, call) => {
    call.onEnd(() => {
      ended = true;
    });
    await sleep(call.runtime.timers, 200);
    return 'late';
  };
  const call = Call.root(runtime);
  await time.run(settle(timeout<string, string>({ ms: 50 })(service), 'x', call));
  assert.equal(ended, false);
  await time.advance(200);
  assert.equal(ended, true);
});

test('a cancel from above passes at once', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const call = Call.root(runtime);
  const done = settle(timeout<string, string>({ ms: 5000 })(never), 'x', call);
  call.cancel(new HeddleError({ code: 'cancelled', reason: 'GONE', message: 'gone' }));
  const result = await time.run(done);
  assert.equal(result.ok ? 'ok' : result.error.reason, 'GONE');
  assert.equal(time.clock.nowMs(), 0);
  assert.equal(time.pending, 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, HeddleError, type Service, settle } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { FaultSwitch, fault } from './fault.ts';

const echo: Service<string, string> = async (req) => req;

test('does nothing until it is told to', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const result = await time.run(
    settle(fault<string, string>(new FaultSwitch())(echo), 'x', Call.root(runtime)),
  );
  assert.deepEqual(result, { ok: true, value: 'x' });
});

test('a share of the calls fails with the code, as if it had been sent', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const faults = new FaultSwitch();
  const service = fault<string, string>(faults)(echo);
  faults.set({ error: { percent: 30, code: 'unavailable' } });
  let failed = 0;
  for (let n = 0; n < 2000; n++) {
    const result = await settle(service, 'x', Call.root(runtime));
    if (result.ok) continue;
    failed++;
    assert.equal(`${result.error.code} ${result.error.sent}`, 'unavailable true');
  }
  assert.ok(failed > 540 && failed < 660, `${failed} of 2000`);
  faults.set({});
  assert.equal((await time.run(settle(service, 'x', Call.root(runtime)))).ok, true);
});

test('delays, and a delayed call can still be cancelled', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const faults = new FaultSwitch();
  faults.set({ delay: { percent: 100, ms: 300 } });
  const service = fault<string, string>(faults)(echo);
  assert.equal((await time.run(settle(service, 'x', Call.root(runtime)))).ok, true);
  assert.equal(time.clock.nowMs(), 300);
  const call = Call.root(runtime);
  const done = settle(service, 'x', call);
  call.cancel(new HeddleError({ code: 'cancelled', reason: 'GONE', message: 'gone' }));
  assert.equal((await time.run(done)).ok, false);
  assert.equal(time.clock.nowMs(), 300);
});

test('a hanging call ends only when it is given up', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const faults = new FaultSwitch();
  faults.set({ hang: { percent: 100 } });
  const call = Call.root(runtime);
  const done = settle(fault<string, string>(faults)(echo), 'x', call);
  await time.advance(60_000);
  assert.equal(call.outcome, undefined);
  call.cancel(new HeddleError({ code: 'deadline_exceeded', reason: 'LATE', message: 'late' }));
  const result = await done;
  assert.equal(result.ok ? 'ok' : result.error.reason, 'LATE');
});

test('refuses a share that is none', () => {
  assert.throws(() => new FaultSwitch().set({ hang: { percent: 101 } }), { reason: 'FAULT_PERCENT' });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, HeddleError, type Result, type Service, settle } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { type ConcurrencyOptions, concurrency } from './concurrency.ts';

/** A service whose calls end when the test says so, however early they have answered. */
function controlled(options: ConcurrencyOptions): {
  time: VirtualTime;
  start: () => { call: Call; result: Promise<Result<string>> };
  inside: Call[];
} {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const inside: Call[] = [];
  const service: Service<string, string> = async (req, call) => {
    inside.push(call);
    call.deferEnd();
    call.onEnd(() => inside.splice(inside.indexOf(call), 1));
    return req;
  };
  const limited = concurrency<string, string>(options)(service);
  const start = (): { call: Call; result: Promise<Result<string>> } => {
    const call = Call.root(runtime);
    return { call, result: settle(limited, 'x', call) };
  };
  return { time, start, inside };
}

test('a place is held until the call ends, not until it answers', async () => {
  const { time, start, inside } = controlled({ max: 1 });
  const first = start();
  assert.equal((await time.run(first.result)).ok, true);
  const second = await time.run(start().result);
  assert.equal(
    second.ok ? 'ok' : `${second.error.code} ${second.error.reason} ${second.error.sent}`,
    'resource_exhausted CONCURRENCY_LIMIT false',
  );
  first.call.end();
  assert.equal((await time.run(start().result)).ok, true);
  assert.equal(inside.length, 1);
});

test('those who wait come in order, and only as many as the queue holds', async () => {
  const { time, start, inside } = controlled({ max: 1, queue: 2 });
  const calls = [start(), start(), start(), start()];
  const refused = await time.run(calls[3]?.result ?? assert.fail());
  assert.equal(refused.ok, false);
  for (const { call, result } of calls.slice(0, 3)) {
    assert.equal((await time.run(result)).ok, true);
    assert.deepEqual(inside, [call]);
    call.end();
  }
});

test('who waits too long is refused, who is cancelled leaves at once; neither was sent', async () => {
  const { time, start } = controlled({ max: 1, queue: 2, maxWaitMs: 100 });
  start();
  const [slow, gone] = [start(), start()];
  gone.call.cancel(new HeddleError({ code: 'cancelled', reason: 'GONE', message: 'gone' }));
  const left = await time.run(gone.result);
  assert.equal(left.ok ? 'ok' : `${left.error.reason} ${left.error.sent}`, 'GONE false');
  assert.equal(time.clock.nowMs(), 0);
  const late = await time.run(slow.result);
  assert.equal(late.ok ? 'ok' : late.error.reason, 'CONCURRENCY_LIMIT');
  assert.equal(time.clock.nowMs(), 100);
});

test('property: never more inside than allowed, and in the end every place is free', async () => {
  const steps = fc.array(fc.constantFrom('start', 'end', 'cancel', 'time'), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), fc.nat(3), async (plan, max, queue) => {
      const { time, start, inside } = controlled({ max, queue, maxWaitMs: 30 });
      const all: Call[] = [];
      for (const step of plan) {
        const last = all.at(-1);
        if (step === 'start') all.push(start().call);
        else if (step === 'end') inside[0]?.end();
        else if (step === 'cancel')
          last?.cancel(new HeddleError({ code: 'cancelled', reason: 'X', message: 'x' }));
        await time.advance(step === 'time' ? 10 : 0);
        assert.ok(inside.length <= max);
      }
      await time.advance(100);
      for (let round = 0; round < 100 && inside.length > 0; round++) {
        inside[0]?.end();
        await time.advance(0);
      }
      const admitted = Array.from({ length: max }, () => start());
      await time.advance(0);
      assert.equal(inside.length, admitted.length);
    }),
    { numRuns: 60 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attempt,
  Call,
  classifyErrors,
  type Code,
  HeddleError,
  idempotency,
  type Outcome,
  perform,
  type Service,
  settle,
} from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { excluded, picked } from '../balance/picker.ts';
import { RetryBudget } from './budget.ts';
import { type RetryOptions, retry } from './retry.ts';

const failure = (code: Code, sent = true): HeddleError =>
  new HeddleError({ code, reason: 'TEST', message: 'test', sent });

function setting(change: Partial<RetryOptions<string, string>> = {}): {
  time: VirtualTime;
  call: Call;
  layer: ReturnType<typeof retry<string, string>>;
  budget: RetryBudget;
} {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const budget = change.budget ?? new RetryBudget(runtime.clock);
  const call = Call.root(runtime).set(idempotency, 'idempotent');
  return {
    time,
    call,
    budget,
    layer: retry<string, string>({ classify: classifyErrors, ...change, budget }),
  };
}

test('attempts are numbered children, each told where the earlier ones went', async () => {
  const { time, call, layer } = setting();
  const seen: [number, readonly string[], boolean][] = [];
  const service: Service<string, string> = async (_req, child) => {
    seen.push([child.get(attempt), child.get(excluded), child.parent === call]);
    child.set(picked, `instance-${seen.length}`);
    if (seen.length < 3) throw failure('unavailable');
    return 'done';
  };
  assert.equal(await time.run(perform(layer(service), 'x', call)), 'done');
  assert.deepEqual(seen, [
    [1, [], true],
    [2, ['instance-1'], true],
    [3, ['instance-1', 'instance-2'], true],
  ]);
  assert.deepEqual(call.outcome, { error: undefined });
});

test('gives up after the attempts with the last error, and each attempt has ended', async () => {
  const { time, call, layer } = setting({ attempts: 2 });
  const ends: Outcome[] = [];
  const service: Service<string, string> = async (_req, child) => {
    child.onEnd((outcome) => ends.push(outcome));
    throw failure('unavailable');
  };
  await assert.rejects(time.run(perform(layer(service), 'x', call)), { code: 'unavailable' });
  assert.equal(ends.length, 2);
  assert.equal(call.outcome?.error?.code, 'unavailable');
});

test('what is not idempotent is repeated only if it was provably not sent, and then at once', async () => {
  for (const [sent, attempts] of [
    [true, 1],
    [false, 2],
  ] as const) {
    const time = new VirtualTime();
    const runtime = bareRuntime(time);
    const layer = retry<string, string>({
      classify: classifyErrors,
      budget: new RetryBudget(runtime.clock),
      attempts: 2,
    });
    let count = 0;
    const service: Service<string, string> = async () => {
      count++;
      throw failure('unavailable', sent);
    };
    const result = await time.run(settle(layer(service), 'x', Call.root(runtime)));
    assert.equal(result.ok, false);
    assert.equal(count, attempts);
    assert.equal(time.clock.nowMs(), 0);
  }
});

test('other failures are passed on as they are', async () => {
  for (const code of ['invalid_argument', 'internal', 'deadline_exceeded', 'cancelled'] as const) {
    const { time, call, layer } = setting();
    let count = 0;
    const service: Service<string, string> = async () => {
      count++;
      throw failure(code);
    };
    await assert.rejects(time.run(perform(layer(service), 'x', call)), { code });
    assert.equal(count, 1);
  }
});

test('the call ends when the winning attempt does, not when it answers', async () => {
  const { time, call, layer } = setting();
  let winner: Call | undefined;
  const service: Service<string, string> = async (_req, child) => {
    if (child.get(attempt) === 1) throw failure('unavailable');
    winner = child;
    child.deferEnd();
    return 'streams';
  };
  await time.run(perform(layer(service), 'x', call));
  assert.equal(call.outcome, undefined);
  winner?.end();
  assert.deepEqual(call.outcome, { error: undefined });
});

test('a streaming response that is given up is cancelled', async () => {
  const { time, call, layer } = setting({
    classify: (_req, result) =>
      result.ok && result.value === 'bad' ? 'retryable' : classifyErrors(_req, result),
  });
  let loser: Call | undefined;
  const service: Service<string, string> = async (_req, child) => {
    if (child.get(attempt) > 1) return 'good';
    loser = child;
    child.deferEnd();
    child.onCancel((error) => child.end(error));
    return 'bad';
  };
  assert.equal(await time.run(perform(layer(service), 'x', call)), 'good');
  assert.equal(loser?.outcome?.error?.reason, 'SUPERSEDED');
});

test('a slow attempt is left for another one after its own timeout', async () => {
  const { time, call, layer } = setting({ attemptTimeoutMs: 100 });
  const service: Service<string, string> = (_req, child) => {
    // The first attempt never settles, and does not heed the cancel either.
    return child.get(attempt) === 1 ? new Promise(() => {}) : Promise.resolve('second');
  };
  assert.equal(await time.run(perform(layer(service), 'x', call)), 'second');
  assert.ok(time.clock.nowMs() >= 100 && time.clock.nowMs() < 125);
});

test('the time of one attempt does not cut a response that has begun', async () => {
  const { time, call, layer } = setting({ attemptTimeoutMs: 100 });
  const service: Service<string, string> = async (_req, child) => {
    child.deferEnd();
    child.runtime.timers.after(500, () => child.end());
    return 'streams';
  };
  await time.run(perform(layer(service), 'x', call));
  await time.advance(1000);
  assert.deepEqual(call.outcome, { error: undefined });
});

test('no retry that could not start before the deadline', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const layer = retry<string, string>({
    classify: classifyErrors,
    budget: new RetryBudget(runtime.clock),
    pushbackMs: () => 60,
    attempts: 10,
  });
  let count = 0;
  const service: Service<string, string> = async () => {
    count++;
    throw failure('unavailable');
  };
  const call = Call.root(runtime, 100).set(idempotency, 'idempotent');
  await time.run(settle(layer(service), 'x', call));
  assert.equal(count, 2, 'at 0 and at 60 ms; 120 is beyond the deadline');
});

test('a cancel during the back-off ends the waiting', async () => {
  const { time, call, layer } = setting({ pushbackMs: () => 10_000 });
  let count = 0;
  const done = settle(
    layer(async () => {
      count++;
      throw failure('unavailable');
    }),
    'x',
    call,
  );
  await time.advance(5);
  call.cancel(failure('cancelled'));
  const result = await time.run(done);
  assert.equal(result.ok ? 'ok' : result.error.code, 'cancelled');
  assert.equal(count, 1);
  assert.ok(time.clock.nowMs() < 10);
});

test('when all fails, retries stay within the budget', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const budget = new RetryBudget(runtime.clock, { floorPerSecond: 1 });
  const layer = retry<string, string>({ classify: classifyErrors, budget });
  let sentOn = 0;
  const service: Service<string, string> = async () => {
    sentOn++;
    throw failure('unavailable');
  };
  for (let n = 0; n < 1000; n++) {
    await time.run(settle(layer(service), 'x', Call.root(runtime).set(idempotency, 'idempotent')));
  }
  const seconds = time.clock.nowMs() / 1000;
  assert.ok(sentOn - 1000 <= 0.2 * 1000 + 10 + seconds, `${sentOn - 1000} retries in ${seconds} s`);
  assert.ok(sentOn - 1000 >= 150, 'the budget is there to be used');
});

test('a request that cannot be replayed is sent once', async () => {
  const { time, call, layer } = setting({ replay: () => undefined });
  let count = 0;
  const service: Service<string, string> = async () => {
    count++;
    throw failure('unavailable', false);
  };
  await assert.rejects(time.run(perform(layer(service), 'x', call)), { code: 'unavailable' });
  assert.equal(count, 1);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attempt,
  Call,
  classifyErrors,
  HeddleError,
  idempotency,
  type Result,
  type Service,
  settle,
  sleep,
} from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { excluded, picked } from '../balance/picker.ts';
import { RetryBudget } from '../retry/budget.ts';
import { type HedgeOptions, hedge } from './hedge.ts';

function setting(change: Partial<HedgeOptions<string, string>> = {}): {
  time: VirtualTime;
  call: Call;
  budget: RetryBudget;
  send: (service: Service<string, string>) => Promise<Result<string>>;
} {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const budget = new RetryBudget(time.clock);
  const call = Call.root(runtime).set(idempotency, 'idempotent');
  const layer = hedge<string, string>({ classify: classifyErrors, budget, delayMs: 50, ...change });
  return { time, call, budget, send: (service) => time.run(settle(layer(service), 'x', call)) };
}

const down = new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down' });

/** Answers attempt n after the n-th number of milliseconds; undefined: fails at once; Infinity: never. */
function timed(
  ...ms: readonly (number | undefined)[]
): Service<string, string> & { readonly attempts: Call[] } {
  const attempts: Call[] = [];
  const service: Service<string, string> = async (_req, call) => {
    attempts.push(call.set(picked, `i${attempts.length + 1}`));
    const own = attempts.length;
    const waitMs = ms[own - 1];
    if (waitMs === undefined) throw down;
    await sleep(call.runtime.timers, waitMs, call);
    return `answer ${own}`;
  };
  return Object.assign(service, { attempts });
}

test('a quick answer costs one attempt and leaves no timer', async () => {
  const { time, send } = setting();
  const service = timed(10);
  assert.deepEqual(await send(service), { ok: true, value: 'answer 1' });
  assert.equal(service.attempts.length, 1);
  assert.equal(time.pending, 0);
});

test('a slow one is raced: the second answers first, the first is cancelled, another instance was asked', async () => {
  const { time, call, send } = setting();
  const service = timed(1000, 10);
  assert.deepEqual(await send(service), { ok: true, value: 'answer 2' });
  assert.equal(time.clock.nowMs(), 60);
  const [first, second] = service.attempts;
  assert.equal(first?.cancelled?.reason, 'SUPERSEDED');
  assert.deepEqual(second?.get(excluded), ['i1']);
  assert.equal(second?.get(attempt), 2);
  assert.equal(call.get(picked), 'i2');
  assert.deepEqual(call.outcome, { error: undefined });
});

test('a failure is answered by the next attempt at once, and the last failure is the result', async () => {
  const { time, send } = setting({ hedges: 2 });
  const service = timed(undefined, undefined, undefined);
  const result = await send(service);
  assert.equal(result.ok, false);
  assert.equal(service.attempts.length, 3);
  assert.equal(time.clock.nowMs(), 0);
});

test('while one is still on its way a failure waits for it', async () => {
  const { send } = setting();
  const result = await send(timed(100, undefined));
  assert.deepEqual(result, { ok: true, value: 'answer 1' });
});

test('what is not idempotent is never hedged', async () => {
  const { call, time, send } = setting();
  call.set(idempotency, 'unknown');
  const service = timed(1000, 1);
  assert.deepEqual(await send(service), { ok: true, value: 'answer 1' });
  assert.equal(service.attempts.length, 1);
  assert.equal(time.clock.nowMs(), 1000);
});

test('hedges stay within the budget: a fifth of the calls, and none when it is empty', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const budget = new RetryBudget(time.clock, { floorPerSecond: 0 });
  const layer = hedge<string, string>({ classify: classifyErrors, budget, delayMs: 0 });
  let sent = 0;
  const service: Service<string, string> = async (req, call) => {
    sent++;
    await sleep(call.runtime.timers, 5, call);
    return req;
  };
  const calls = Array.from({ length: 500 }, () =>
    settle(layer(service), 'x', Call.root(runtime).set(idempotency, 'no_side_effects')),
  );
  await time.run(Promise.all(calls));
  assert.equal(sent, 600);
});

test('a cancel from above reaches all attempts', async () => {
  const { time, call } = setting();
  const layer = hedge<string, string>({
    classify: classifyErrors,
    budget: new RetryBudget(time.clock),
    delayMs: 10,
  });
  const service = timed(1000, 1000);
  const done = settle(layer(service), 'x', call);
  await time.advance(20);
  call.cancel(new HeddleError({ code: 'cancelled', reason: 'GONE', message: 'gone' }));
  const result = await time.run(done);
  assert.equal(result.ok ? '' : result.error.reason, 'GONE');
  assert.equal(service.attempts.length, 2);
  for (const each of service.attempts) assert.notEqual(each.outcome, undefined);
  assert.equal(time.pending, 0);
});

test('a stream wins when it begins, and the call ends when the stream does', async () => {
  const { call, send } = setting();
  let winner: Call | undefined;
  await send(async (req, child) => {
    winner = child;
    child.deferEnd();
    return req;
  });
  assert.equal(call.outcome, undefined);
  winner?.end();
  assert.notEqual(call.outcome, undefined);
});

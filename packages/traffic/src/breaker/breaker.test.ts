import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, classifyErrors, HeddleError, type Result, type Service, settle } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { retry } from '../retry/retry.ts';
import { RetryBudget } from '../retry/budget.ts';
import { type BreakerOptions, Breaker, type BreakerTransition, breaker } from './breaker.ts';

const down = new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down' });

function setting(options: Partial<BreakerOptions> = {}): {
  time: VirtualTime;
  state: Breaker;
  log: BreakerTransition[];
  send: (service: Service<string, string>) => Promise<Result<string>>;
} {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const log: BreakerTransition[] = [];
  const state = new Breaker(runtime, { name: 'order', onTransition: (each) => log.push(each), ...options });
  const layer = breaker<string, string>(state, { classify: classifyErrors });
  return {
    time,
    state,
    log,
    send: (service) => time.run(settle(layer(service), 'x', Call.root(runtime))),
  };
}

const fails: Service<string, string> = () => Promise.reject(down);
const answers: Service<string, string> = async (req) => req;

test('five failures open it; a refusal was sent nowhere and names the time', async () => {
  const { time, state, log, send } = setting();
  for (let n = 0; n < 5; n++) assert.equal((await send(fails)).ok, false);
  assert.equal(state.blocked?.reason, 'breaker_open');
  await time.advance(20_000);
  const result = await send(answers);
  assert.ok(!result.ok);
  assert.equal(`${result.error.reason} ${result.error.sent}`, 'BREAKER_OPEN false');
  assert.match(result.error.message, /order .* in 40000 ms/);
  assert.deepEqual(
    log.map(({ from, to }) => `${from} ${to}`),
    ['closed open'],
  );
});

test('it wakes by itself, so that a balancer that sends nobody hears of it; three successes close it', async () => {
  const { time, state, log, send } = setting({ consecutiveFailures: 1 });
  await send(fails);
  await time.advance(60_000);
  assert.equal(state.blocked, undefined);
  for (let n = 0; n < 3; n++) assert.equal((await send(answers)).ok, true);
  assert.deepEqual(
    log.map(({ to }) => to),
    ['open', 'half_open', 'closed'],
  );
  assert.equal(time.pending, 0);
});

test('one call at a time may try; a stream frees the place when it begins and counts at its end', async () => {
  const { time, state, send } = setting({ consecutiveFailures: 1 });
  await send(fails);
  await time.advance(60_000);
  let stream: Call | undefined;
  const streams: Service<string, string> = async (req, call) => {
    stream = call;
    call.deferEnd();
    return req;
  };
  await send(streams);
  assert.equal(`${state.state.mode} ${state.state.probing} ${state.state.successes}`, 'half_open 0 0');
  stream?.end(down);
  assert.equal(state.blocked?.reason, 'breaker_open');
});

test('answers below a retry count, although their calls end before the answer gets here', async () => {
  const { time, state } = setting();
  const runtime = bareRuntime(time);
  const again = retry<string, string>({ classify: classifyErrors, budget: new RetryBudget(time.clock) });
  const layer = breaker<string, string>(state, { classify: classifyErrors });
  const flaky = [fails, fails, fails, fails, answers, fails, fails];
  for (const service of flaky) await time.run(settle(layer(again(service)), 'x', Call.root(runtime)));
  assert.equal(state.state.failures, 2, 'the success in between was seen');
});

test('what the caller did wrong does not open it, and what it gave up says nothing', async () => {
  const { state, send } = setting({ consecutiveFailures: 1 });
  for (const code of ['invalid_argument', 'not_found', 'cancelled'] as const)
    await send(() => Promise.reject(new HeddleError({ code, reason: 'X', message: 'x' })));
  assert.equal(state.blocked, undefined);
});

test('after close no timer is left', async () => {
  const { time, state, send } = setting({ consecutiveFailures: 1 });
  await send(fails);
  assert.equal(time.pending, 1);
  state.close();
  assert.equal(time.pending, 0);
});

test('options that make no sense are refused with all problems', () => {
  assert.throws(() => setting({ openMs: 0, probes: 0 }), /openMs: expected .*; probes: expected/);
  assert.throws(() => setting({ failureRate: { share: 2, minCalls: 1, windowMs: 1 } }), /failureRate: share/);
});

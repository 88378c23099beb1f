import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, HeddleError, idempotency, type Result, settle, sleep } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { type CoalesceOptions, coalesce } from './coalesce.ts';

function setting(options: Partial<CoalesceOptions<string, string>> = {}): {
  time: VirtualTime;
  asked: string[];
  state: { down: boolean };
  get: (req: string, call?: Call) => Promise<Result<string>>;
  root: () => Call;
} {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const asked: string[] = [];
  const state = { down: false };
  const service = coalesce<string, string>({ key: (req) => req, ...options })(async (req, call) => {
    asked.push(req);
    const own = asked.length;
    await sleep(call.runtime.timers, 100, call);
    if (state.down) throw new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down' });
    return `${req} ${own}`;
  });
  const root = (): Call => Call.root(runtime).set(idempotency, 'no_side_effects');
  return { time, asked, state, root, get: (req, call = root()) => settle(service, req, call) };
}

const gone = new HeddleError({ code: 'cancelled', reason: 'GONE', message: 'gone' });

test('equal reads at the same time are one call, and the next is a new one', async () => {
  const { time, asked, get } = setting();
  const results = await time.run(Promise.all([get('a'), get('b'), get('a'), get('a')]));
  assert.deepEqual(
    results.map((result) => (result.ok ? result.value : '')),
    ['a 1', 'b 2', 'a 1', 'a 1'],
  );
  await time.run(get('a'));
  assert.deepEqual(asked, ['a', 'b', 'a']);
});

test('they share a failure too', async () => {
  const { time, asked, state, get } = setting();
  state.down = true;
  const results = await time.run(Promise.all([get('a'), get('a')]));
  assert.deepEqual(
    results.map((result) => (result.ok ? '' : result.error.reason)),
    ['DOWN', 'DOWN'],
  );
  assert.equal(asked.length, 1);
});

test('who waits may leave; when the one that was sent leaves, another goes for the rest', async () => {
  const { time, asked, root, get } = setting();
  const [first, second] = [root(), root()];
  const results = [get('a', first), get('a', second), get('a'), get('a')];
  await time.advance(50);
  second.cancel(gone);
  first.cancel(gone);
  const settled = await time.run(Promise.all(results));
  assert.deepEqual(
    settled.map((result) => (result.ok ? result.value : `${result.error.reason} ${result.error.sent}`)),
    ['GONE true', 'GONE false', 'a 2', 'a 2'],
  );
  assert.equal(asked.length, 2);
  assert.equal(time.clock.nowMs(), 150);
});

test('an answer that cannot be shared makes each go by itself, all at once', async () => {
  const { time, asked, get } = setting({ share: () => undefined });
  await time.run(Promise.all([get('a'), get('a'), get('a')]));
  assert.equal(asked.length, 3);
  assert.equal(time.clock.nowMs(), 200);
});

test('writes go by themselves', async () => {
  const { time, asked, root, get } = setting();
  const write = (): Promise<Result<string>> => get('a', root().set(idempotency, 'idempotent'));
  await time.run(Promise.all([write(), write()]));
  assert.equal(asked.length, 2);
});

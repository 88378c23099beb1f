import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Call,
  classifyErrors,
  HeddleError,
  idempotency,
  type Result,
  type Service,
  settle,
  userId,
} from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { type CacheOptions, cache } from './cache.ts';

function setting(options: Partial<CacheOptions<string, string>> = {}): {
  time: VirtualTime;
  state: { answers: number; down: boolean };
  hits: string[];
  get: (req: string, user?: string) => Promise<Result<string>>;
  root: () => Call;
  service: Service<string, string>;
} {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const state = { answers: 0, down: false };
  const hits: string[] = [];
  const service = cache<string, string>({
    classify: classifyErrors,
    key: (req) => req,
    ttlMs: 1000,
    onHit: (_call, { ageMs, stale }) => hits.push(`${ageMs}${stale ? ' stale' : ''}`),
    ...options,
  })(async (req) => {
    if (state.down) throw new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down' });
    state.answers++;
    return `${req} ${state.answers}`;
  });
  const root = (): Call => Call.root(runtime).set(idempotency, 'no_side_effects');
  const get = (req: string, user?: string): Promise<Result<string>> =>
    time.run(settle(service, req, root().set(userId, user)));
  return { time, state, hits, get, root, service };
}

test('an answer is given again until its time is up', async () => {
  const { time, hits, get } = setting();
  await get('a');
  await time.advance(999);
  assert.deepEqual(await get('a'), { ok: true, value: 'a 1' });
  await time.advance(1);
  assert.deepEqual(await get('a'), { ok: true, value: 'a 2' });
  assert.deepEqual(hits, ['999']);
});

test('when asking fails, a stale answer is better than none, up to its age', async () => {
  const { time, state, hits, get } = setting({ staleOnErrorMs: 5000 });
  await get('a');
  state.down = true;
  await time.advance(5999);
  assert.deepEqual(await get('a'), { ok: true, value: 'a 1' });
  await time.advance(1);
  assert.equal((await get('a')).ok, false);
  assert.deepEqual(hits, ['5999 stale']);
});

test('each user has his own answers, unless the answer is said to be shared', async () => {
  const own = setting();
  await own.get('a', 'u1');
  assert.deepEqual(await own.get('a', 'u2'), { ok: true, value: 'a 2' });
  const shared = setting({ shared: true });
  await shared.get('a', 'u1');
  assert.deepEqual(await shared.get('a', 'u2'), { ok: true, value: 'a 1' });
});

test('a write is never cached, nor an error, nor what has no key', async () => {
  const { time, state, service, root, get } = setting({
    key: (req) => (req === 'private' ? undefined : req),
  });
  for (let n = 0; n < 2; n++) await time.run(settle(service, 'w', root().set(idempotency, 'idempotent')));
  assert.equal(state.answers, 2);
  for (let n = 0; n < 2; n++) await get('private');
  assert.equal(state.answers, 4);
  state.down = true;
  await get('e');
  state.down = false;
  assert.deepEqual(await get('e'), { ok: true, value: 'e 5' });
});

test('the least recently used leaves first', async () => {
  const { state, get } = setting({ maxEntries: 2 });
  for (const req of ['a', 'b', 'a', 'c', 'a', 'b']) await get(req);
  assert.equal(state.answers, 4, 'a, b, c, and b again');
});

test('what cannot be kept passes as it is', async () => {
  const { state, get } = setting({ keep: () => undefined });
  for (let n = 0; n < 2; n++) await get('a');
  assert.equal(state.answers, 2);
});

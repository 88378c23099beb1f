import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Watcher } from './watcher.ts';

function counter(): {
  watcher: Watcher<number>;
  ended: () => number;
  set: (to: number | undefined) => void;
  abort: AbortController;
} {
  let value: number | undefined = 1;
  let ended = 0;
  const abort = new AbortController();
  const onEnd = (): void => {
    ended += 1;
  };
  const watcher = new Watcher(() => value, onEnd, abort.signal);
  const set = (to: number | undefined): void => {
    value = to;
    watcher.poke();
  };
  return { watcher, ended: () => ended, set, abort };
}

test('the first state comes at once, the next when there is one', async () => {
  const { watcher, set } = counter();
  assert.deepEqual(await watcher.next(), { done: false, value: 1 });
  const next = watcher.next();
  set(2);
  assert.deepEqual(await next, { done: false, value: 2 });
});

test('a slow reader gets the newest state and none between', async () => {
  const { watcher, set } = counter();
  await watcher.next();
  for (const value of [2, 3, 4]) set(value);
  assert.equal((await watcher.next()).value, 4);
  const next = watcher.next();
  set(5);
  assert.equal((await next).value, 5);
});

test('readers who wait together are served one state each, in order', async () => {
  const { watcher, set } = counter();
  const both = Promise.all([watcher.next(), watcher.next()]);
  set(2);
  assert.deepEqual(
    (await both).map(({ value }) => value),
    [1, 2],
  );
});

test('while there is no state, readers wait', async () => {
  const { watcher, set } = counter();
  set(undefined);
  const next = watcher.next();
  set(undefined);
  set(7);
  assert.equal((await next).value, 7);
});

for (const how of ['abort', 'return', 'end'] as const) {
  test(`${how} ends it once, for those who wait and those who come`, async () => {
    const { watcher, ended, abort } = counter();
    await watcher.next();
    const waiting = watcher.next();
    if (how === 'abort') abort.abort();
    else if (how === 'return') await watcher.return();
    else watcher.end();
    watcher.end();
    watcher.poke();
    assert.deepEqual(await waiting, { done: true, value: undefined });
    assert.deepEqual(await watcher.next(), { done: true, value: undefined });
    assert.equal(ended(), 1);
  });
}

test('a signal that was aborted before begins nothing', async () => {
  const watcher = new Watcher(
    () => 1,
    () => assert.fail('it never began'),
    AbortSignal.abort(),
  );
  assert.equal((await watcher.next()).done, true);
});

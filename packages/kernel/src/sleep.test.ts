import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from './call.ts';
import { HeddleError } from './error.ts';
import { bareRuntime } from './simulated/bare-runtime.ts';
import { VirtualTime } from './simulated/virtual-time.ts';
import { sleep } from './sleep.ts';

test('lasts as long as it says', async () => {
  const time = new VirtualTime();
  let awake = false;
  void sleep(time.timers, 50).then(() => {
    awake = true;
  });
  await time.advance(49);
  assert.equal(awake, false);
  await time.advance(1);
  assert.equal(awake, true);
});

test('ends early with the reason when its call is cancelled, and leaves no timer', async () => {
  const time = new VirtualTime();
  const call = Call.root(bareRuntime(time));
  const gone = new HeddleError({ code: 'cancelled', reason: 'CLIENT_LEFT', message: '' });
  const sleeping = assert.rejects(sleep(time.timers, 50, call), gone);
  call.cancel(gone);
  await sleeping;
  assert.equal(time.pending, 0);
});

test('after a whole sleep, the call is no longer listened to', async () => {
  const time = new VirtualTime();
  const call = Call.root(bareRuntime(time));
  const sleeping = sleep(time.timers, 50, call);
  await time.run(sleeping);
  call.cancel(new HeddleError({ code: 'cancelled', reason: 'CLIENT_LEFT', message: '' }));
  await sleeping;
});

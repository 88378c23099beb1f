import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { Sessions, showsCsrf } from './auth-sessions.ts';
import { Throttle } from './auth-throttle.ts';

const hour = 3_600_000;

test('a session ends two hours after it was last used, and twelve after it began', async () => {
  const time = new VirtualTime();
  const sessions = new Sessions(time.clock, seededRandom(1));
  const { token } = sessions.begin('ann', 'viewer', 'local');
  await time.advance(2 * hour - 1);
  assert.equal(sessions.find(token)?.user, 'ann');
  await time.advance(2 * hour);
  assert.equal(sessions.find(token), undefined);
  const longer = sessions.begin('ann', 'viewer', 'local').token;
  for (let used = 0; used < 11; used++) {
    await time.advance(hour);
    assert.ok(sessions.find(longer));
  }
  await time.advance(hour);
  assert.equal(sessions.find(longer), undefined);
});

test('tokens are unlike, and only one’s own CSRF token is right', () => {
  const time = new VirtualTime();
  const sessions = new Sessions(time.clock, seededRandom(2));
  const [one, other] = [sessions.begin('ann', 'viewer', 'local'), sessions.begin('ann', 'viewer', 'local')];
  assert.notEqual(one.token, other.token);
  assert.ok(showsCsrf(one.session, one.session.csrf));
  for (const shown of [other.session.csrf, '', undefined, one.token])
    assert.ok(!showsCsrf(one.session, shown));
});

test('a user’s sessions end together, but for the one that asks', () => {
  const time = new VirtualTime();
  const sessions = new Sessions(time.clock, seededRandom(3));
  const [own, other, foreign] = ['ann', 'ann', 'bob'].map((name) => sessions.begin(name, 'viewer', 'local'));
  sessions.endOf('ann', own?.session);
  assert.deepEqual(
    [own, other, foreign].map((one) => sessions.find(one?.token ?? '')?.user),
    ['ann', undefined, 'bob'],
  );
});

test('ten wrong passwords close a name for five minutes, and only that name', async () => {
  const time = new VirtualTime();
  const throttle = new Throttle(time.clock);
  for (let wrong = 0; wrong < 10; wrong++) {
    throttle.check('ann');
    throttle.failed('ann');
  }
  assert.throws(() => throttle.check('ann'), { reason: 'TOO_MANY_ATTEMPTS' });
  throttle.check('bob');
  await time.advance(5 * 60_000);
  throttle.check('ann');
});

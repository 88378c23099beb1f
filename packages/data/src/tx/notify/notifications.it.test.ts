import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import { type Database, databases, runtime, until } from '../../testing/node/databases.ts';
import { SagaEngine } from '../saga/index.ts';
import { Notifications, type NotificationsOptions, type NotifyRequest, verifySignature } from './index.ts';

let server: Awaited<ReturnType<typeof databases>>;
let database: Database;
before(async () => {
  server = await databases();
  database = await server.create();
});
after(async () => {
  await database.close();
  await server.stop();
});

const secret = new TextEncoder().encode('shared with the receiver');

async function opened(
  deliver: NotificationsOptions['deliver'],
  own: Runtime = runtime,
  scheduleMs?: readonly number[],
): Promise<{ readonly notifications: Notifications; readonly engine: SagaEngine }> {
  const { pool, url } = database;
  const notifications = new Notifications({
    runtime: own,
    pool,
    deliver,
    secretFor: () => secret,
    ...(scheduleMs !== undefined && { scheduleMs }),
  });
  await notifications.prepare();
  const engine = new SagaEngine({
    runtime: own,
    pool,
    url,
    definitions: [notifications.definition],
    pollMs: 20,
  });
  await engine.start();
  return { notifications, engine };
}

const call = (): Call => Call.root(runtime, runtime.clock.nowMs() + 15_000);

test('it is told until it is heard; each attempt is signed and recorded', async () => {
  const seen: NotifyRequest[] = [];
  const answers = [500, 503, 204];
  const { notifications, engine } = await opened(
    async (request) => {
      seen.push(request);
      return answers[seen.length - 1] ?? 500;
    },
    runtime,
    [0, 20, 20, 20],
  );
  const id = await notifications.send(engine, { url: 'http://shop/paid', body: '{"order":7}' });
  await engine.outcome(id, call());
  const { status, attempts } = await notifications.outcome(engine, id);
  assert.equal(status, 'delivered');
  assert.deepEqual(
    attempts.map((each) => each.status),
    [500, 503, 204],
  );
  const [{ headers, body } = assert.fail()] = seen;
  const nowMs = runtime.clock.wallMs();
  verifySignature(secret, headers, body, nowMs);
  assert.throws(() => verifySignature(secret, headers, `${body} `, nowMs), { reason: 'SIGNATURE_WRONG' });
  assert.throws(() => verifySignature(secret, headers, body, nowMs + 400_000), { reason: 'SIGNATURE_TIME' });
  await engine.stop();
});

test('by the standard schedule it is tried six times in 14 h 36 min, and then given up, which is seen', async () => {
  let aheadMs = 0;
  const { clock } = runtime;
  const moved: Runtime = {
    ...runtime,
    clock: { nowMs: () => clock.nowMs(), wallMs: () => clock.wallMs() + aheadMs },
  };
  const times: number[] = [];
  const { notifications, engine } = await opened(async () => {
    times.push(aheadMs);
    throw new HeddleError({ code: 'permission_denied', reason: 'GONE', message: 'nobody there' });
  }, moved);
  const id = await notifications.send(engine, { url: 'http://shop/paid', body: '{}' });
  for (const [before, stepMs] of [0, 60_000, 300_000, 1_800_000, 7_200_000, 43_200_000].entries()) {
    aheadMs += stepMs;
    await until('an attempt is over', async () => {
      const { attempts } = await notifications.outcome(engine, id);
      const resting = (await engine.store.get(id)).worker === undefined;
      return attempts.length > before && resting;
    });
  }
  await engine.outcome(id, call());
  const { status, attempts } = await notifications.outcome(engine, id);
  assert.deepEqual([status, attempts.length, attempts[0]?.error], ['gave-up', 6, 'nobody there']);
  assert.deepEqual(times, [0, 60_000, 360_000, 2_160_000, 9_360_000, 52_560_000]);
  await engine.stop();
});

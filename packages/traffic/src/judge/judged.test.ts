import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, classifyErrors, HeddleError, type Service, settle } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { judged } from './judged.ts';

const failure = new HeddleError({ code: 'unavailable', reason: 'TEST', message: 'test' });
const gone = new HeddleError({ code: 'cancelled', reason: 'GONE', message: 'gone' });

/** Runs a service and says what its judge was told, and when in the order of things. */
function record(
  service: Service<string, string>,
  classify: typeof classifyErrors = classifyErrors,
): {
  call: Call;
  told: string[];
  done: Promise<unknown>;
} {
  const call = Call.root(bareRuntime(new VirtualTime()));
  const told: string[] = [];
  const layered: Service<string, string> = (req, each) =>
    judged(service, req, each, classify, {
      answered: () => told.push('answered'),
      ended: (meaning, answered) => told.push(`${meaning} ${answered}`),
    });
  return { call, told, done: settle(layered, 'x', call) };
}

test('a plain answer: told at the end, once', async () => {
  const { told, done } = record(async () => 'fine');
  await done;
  assert.deepEqual(told, ['success false']);
});

test('the end before the answer: told when the answer is there', async () => {
  const { told, done } = record(async (_req, call) => {
    const child = call.child();
    child.end();
    call.endWith(child);
    return 'fine';
  });
  await done;
  assert.deepEqual(told, ['success false']);
});

test('an answer that streams: told at its end; that it broke off makes it a failure', async () => {
  for (const [error, expected] of [
    [undefined, 'success true'],
    [failure, 'retryable true'],
    [gone, 'ignored true'],
  ] as const) {
    const { call, told, done } = record(async (_req, each) => {
      each.deferEnd();
      return 'begun';
    });
    await done;
    assert.deepEqual(told, ['answered']);
    call.end(error);
    assert.deepEqual(told, ['answered', expected]);
  }
});

test('a rejection is told at once, also where a layer above makes an answer of it', async () => {
  const { call, told, done } = record(async () => {
    throw failure;
  });
  await done;
  assert.deepEqual(told, ['retryable false']);
  call.end();
  assert.equal(told.length, 1);
});

test('an end with an error while the answer is awaited is told at once', async () => {
  const { call, told } = record(() => new Promise(() => {}));
  call.end(gone);
  assert.deepEqual(told, ['ignored false']);
});

test('a classifier that throws makes the call a failure, and its answer stays', async () => {
  const { told, done } = record(
    async () => 'fine',
    () => {
      throw new TypeError('a mistake');
    },
  );
  assert.deepEqual(await done, { ok: true, value: 'fine' });
  assert.deepEqual(told, ['failure false']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Call,
  classifyErrors,
  type Code,
  HeddleError,
  type Result,
  type Service,
  settle,
} from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { fallback } from './fallback.ts';

const time = new VirtualTime();
const runtime = bareRuntime(time);
const failing =
  (code: Code): Service<string, string> =>
  async () => {
    throw new HeddleError({ code, reason: 'TEST', message: 'test' });
  };

function send(
  service: Service<string, string>,
  to: Service<string, string> = async () => 'instead',
  call = Call.root(runtime),
): Promise<Result<string>> {
  const layer = fallback<string, string>({
    classify: (req, result) =>
      result.ok && result.value === 'bad' ? 'failure' : classifyErrors(req, result),
    to,
  });
  return time.run(settle(layer(service), 'x', call));
}

test('a failure is answered by the fallback, which ends the call well', async () => {
  const call = Call.root(runtime);
  assert.deepEqual(await send(failing('unavailable'), undefined, call), { ok: true, value: 'instead' });
  assert.deepEqual(call.outcome, { error: undefined });
});

test('an answer is passed on, and so is what the caller did wrong', async () => {
  assert.deepEqual(await send(async (req) => req), { ok: true, value: 'x' });
  const result = await send(failing('invalid_argument'));
  assert.equal(result.ok ? '' : result.error.code, 'invalid_argument');
});

test('a failure of the fallback is the result', async () => {
  const result = await send(failing('unavailable'), failing('internal'));
  assert.equal(result.ok ? '' : result.error.code, 'internal');
});

test('a bad response that streams is cancelled before the fallback answers', async () => {
  let below: Call | undefined;
  const result = await send(async (_req, call) => {
    below = call;
    call.deferEnd();
    call.onCancel((error) => call.end(error));
    return 'bad';
  });
  assert.deepEqual(result, { ok: true, value: 'instead' });
  assert.equal(below?.outcome?.error?.reason, 'SUPERSEDED');
});

test('nobody is asked instead when the caller has gone', async () => {
  const call = Call.root(runtime);
  let asked = false;
  const result = await send(
    async (_req, child) => {
      call.cancel(new HeddleError({ code: 'cancelled', reason: 'GONE', message: 'gone' }));
      child.throwIfCancelled();
      return 'x';
    },
    async () => {
      asked = true;
      return 'instead';
    },
    call,
  );
  assert.equal(result.ok ? '' : result.error.reason, 'GONE');
  assert.equal(asked, false);
});

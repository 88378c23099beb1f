import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Call } from './call.ts';
import { callKey } from './call-key.ts';
import { HeddleError } from './error.ts';
import { bareRuntime } from './simulated/bare-runtime.ts';
import { VirtualTime } from './simulated/virtual-time.ts';

const gone = new HeddleError({ code: 'cancelled', reason: 'CLIENT_LEFT', message: 'the client left' });
const late = new HeddleError({ code: 'deadline_exceeded', reason: 'TIMEOUT', message: 'too late' });

function root(deadlineMs?: number): Call {
  return Call.root(bareRuntime(new VirtualTime()), deadlineMs);
}

describe('values', () => {
  const tenant = callKey<string | undefined>('tenant', undefined);
  const attempt = callKey('attempt', 1);

  test('an unset key reads as its fallback', () => {
    assert.equal(root().get(attempt), 1);
  });

  test('a child sees its ancestors, an ancestor never sees a child', () => {
    const call = root().set(tenant, 'acme');
    const child = call.child().child();
    child.set(attempt, 2);
    assert.equal(child.get(tenant), 'acme');
    assert.equal(child.get(attempt), 2);
    assert.equal(call.get(attempt), 1);
  });

  test('a child may hide what it inherited, even by undefined', () => {
    const call = root().set(tenant, 'acme');
    assert.equal(call.child().set(tenant, undefined).get(tenant), undefined);
  });

  test('two keys of one name are two keys', () => {
    const other = callKey('tenant', 'nobody');
    assert.equal(root().set(tenant, 'acme').get(other), 'nobody');
  });
});

describe('deadline', () => {
  test('is never extended by a child', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(10_000), { nil: undefined }), { minLength: 1 }), (deadlines) => {
        let call = root(deadlines[0]);
        for (const deadline of deadlines.slice(1)) call = call.child(deadline);
        const given = deadlines.filter((deadline) => deadline !== undefined);
        assert.equal(call.deadlineMs, given.length === 0 ? undefined : Math.min(...given));
      }),
    );
  });

  test('what remains is measured on the monotonic clock', async () => {
    const time = new VirtualTime();
    const call = Call.root(bareRuntime(time), 100);
    await time.advance(30);
    assert.equal(call.remainingMs(), 70);
    await time.advance(100);
    assert.equal(call.remainingMs(), -30);
    assert.equal(Call.root(bareRuntime(time)).remainingMs(), Number.POSITIVE_INFINITY);
  });
});

describe('end', () => {
  test('is told once, in order, with the first outcome', () => {
    const call = root();
    const heard: string[] = [];
    call.onEnd((outcome) => heard.push(`a ${outcome.error?.reason}`));
    call.onEnd((outcome) => heard.push(`b ${outcome.error?.reason}`));
    call.end(late);
    call.end();
    assert.deepEqual(heard, ['a TIMEOUT', 'b TIMEOUT']);
    assert.equal(call.outcome?.error, late);
  });

  test('is told at once to who asks afterwards', () => {
    const call = root();
    call.end();
    let heard = false;
    call.onEnd((outcome) => {
      heard = outcome.error === undefined;
    });
    assert.ok(heard);
  });

  test('cancels the children that still run, and only those', () => {
    const call = root();
    const [ended, running] = [call.child(), call.child()];
    ended.end();
    call.end();
    assert.equal(ended.cancelled, undefined);
    assert.ok(running.cancelled?.is('cancelled', 'PARENT_ENDED'));
  });

  test('passes its error to the children that it cancels', () => {
    const call = root();
    const child = call.child();
    call.end(late);
    assert.equal(child.cancelled, late);
  });

  test('of a child can be made the end of its parent', () => {
    const call = root();
    const child = call.child();
    call.endWith(child);
    assert.equal(call.endDeferred, true);
    child.end(late);
    assert.equal(call.outcome?.error, late);
  });

  test('of a child that has ended already is passed on at once', () => {
    const call = root();
    const child = call.child();
    child.end();
    call.endWith(child);
    assert.equal(call.outcome?.error, undefined);
    assert.notEqual(call.outcome, undefined);
  });
});

describe('cancel', () => {
  test('reaches listeners, signal and every descendant, once', () => {
    const call = root();
    const leaf = call.child().child();
    const heard: unknown[] = [];
    leaf.onCancel((error) => heard.push(error));
    leaf.signal.addEventListener('abort', () => heard.push('abort'));
    call.cancel(gone);
    call.cancel(late);
    assert.deepEqual(heard, [gone, 'abort']);
    assert.equal(leaf.signal.reason, gone);
    assert.throws(() => leaf.throwIfCancelled(), gone);
  });

  test('does not go up', () => {
    const call = root();
    call.child().cancel(gone);
    assert.equal(call.cancelled, undefined);
  });

  test('does not end the call: that is its adapter’s to say', () => {
    const call = root();
    call.cancel(gone);
    assert.equal(call.outcome, undefined);
  });

  test('after the end changes nothing', () => {
    const call = root();
    call.onCancel(() => assert.fail('told after the end'));
    call.end();
    call.cancel(gone);
    assert.equal(call.cancelled, undefined);
  });

  test('is told at once to who asks afterwards, and to children made afterwards', () => {
    const call = root();
    call.cancel(gone);
    let heard: unknown;
    call.onCancel((error) => {
      heard = error;
    });
    assert.equal(heard, gone);
    assert.equal(call.child().cancelled, gone);
    assert.equal(call.signal.aborted, true);
  });

  test('listeners of a cancel are told in order, each once, without those that have stopped', () => {
    const call = root();
    const heard: string[] = [];
    const first = (): void => void heard.push('first');
    const stopFirst = call.onCancel(first);
    stopFirst();
    const second = (): void => void heard.push('second');
    call.onCancel(second);
    call.onCancel(second);
    const stopThird = call.onCancel(() => heard.push('third'));
    call.onCancel(first);
    stopThird();
    stopThird();
    call.cancel(gone);
    assert.deepEqual(heard, ['second', 'first']);
  });

  test('is not told to who has stopped listening', () => {
    const call = root();
    const stop = call.onCancel(() => assert.fail('told after it stopped listening'));
    stop();
    call.cancel(gone);
  });

  test('a child of a call that has ended is born cancelled', () => {
    const call = root();
    call.end();
    assert.ok(call.child().cancelled?.is('cancelled', 'PARENT_ENDED'));
  });

  test('works while children end in the midst of it', () => {
    const call = root();
    const children = [call.child(), call.child(), call.child()];
    for (const child of children) child.onCancel(() => children[1]?.end());
    call.cancel(gone);
    assert.equal(children[0]?.cancelled, gone);
    assert.equal(children[2]?.cancelled, gone);
  });
});

test('whatever the order of ends, exactly the running descendants hear of a cancel', () => {
  const plan = fc.array(fc.tuple(fc.nat(20), fc.boolean()), { maxLength: 40 });
  fc.assert(
    fc.property(plan, (steps) => {
      const calls = [root()];
      for (const [pick, ends] of steps) {
        const call = calls[pick % calls.length] as Call;
        if (ends && call !== calls[0]) call.end();
        else calls.push(call.child());
      }
      const running = calls.filter((call) => call.outcome === undefined && call.cancelled === undefined);
      const heard = new Set<Call>();
      for (const call of running) call.onCancel(() => heard.add(call));
      calls[0]?.cancel(gone);
      assert.deepEqual(heard, new Set(running));
    }),
  );
});

test('a listener that throws neither stops the others nor goes unnoticed', async () => {
  const call = root();
  let second = false;
  const surfaced = new Promise((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
  call.onEnd(() => {
    throw new Error('a mistake');
  });
  call.onEnd(() => {
    second = true;
  });
  call.end();
  assert.ok(second);
  assert.equal(((await surfaced) as Error).message, 'a mistake');
  process.setUncaughtExceptionCaptureCallback(null);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Call } from './call.ts';
import { codes, HeddleError } from './error.ts';
import { classifyErrors, perform, settle } from './result.ts';
import type { Service } from './service.ts';
import { bareRuntime } from './simulated/bare-runtime.ts';
import { VirtualTime } from './simulated/virtual-time.ts';

const failure = new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down' });
const works: Service<string, string> = (req) => Promise.resolve(req.toUpperCase());
const fails: Service<string, string> = () => Promise.reject(failure);

function root(): Call {
  return Call.root(bareRuntime(new VirtualTime()));
}

describe('settle', () => {
  test('ends the call with a success', async () => {
    const call = root();
    assert.deepEqual(await settle(works, 'a', call), { ok: true, value: 'A' });
    assert.equal(call.outcome?.error, undefined);
  });

  test('ends the call with the error, and does not reject', async () => {
    const call = root();
    assert.deepEqual(await settle(fails, 'a', call), { ok: false, error: failure });
    assert.equal(call.outcome?.error, failure);
  });

  test('leaves the end to a service that deferred it', async () => {
    const streams: Service<string, string> = async (_req, call) => {
      call.deferEnd();
      return 'the head';
    };
    const call = root();
    await settle(streams, 'a', call);
    assert.equal(call.outcome, undefined);
  });

  test('ends a call that failed after its end was deferred', async () => {
    const breaks: Service<string, string> = async (_req, call) => {
      call.deferEnd();
      throw failure;
    };
    const call = root();
    await settle(breaks, 'a', call);
    assert.equal(call.outcome?.error, failure);
  });

  test('catches even a service that throws synchronously, which none should', async () => {
    const rude = (() => {
      throw new TypeError('oops');
    }) as unknown as Service<string, string>;
    const result = await settle(rude, 'a', root());
    assert.ok(!result.ok && result.error.is('unknown', 'UNEXPECTED'));
  });
});

describe('perform', () => {
  test('gives the value, or rejects with the error; the call has ended either way', async () => {
    const [good, bad] = [root(), root()];
    assert.equal(await perform(works, 'a', good), 'A');
    await assert.rejects(perform(fails, 'a', bad), failure);
    assert.notEqual(good.outcome, undefined);
    assert.equal(bad.outcome?.error, failure);
  });
});

describe('classifyErrors', () => {
  const meaningOf = (code: (typeof codes)[number], sent: boolean): string =>
    classifyErrors(undefined, {
      ok: false,
      error: new HeddleError({ code, reason: 'R', message: '', sent }),
    });

  test('a value is a success, whatever it says', () => {
    assert.equal(classifyErrors(undefined, { ok: true, value: undefined }), 'success');
  });

  test('says for every code what it means', () => {
    const table = codes.map((code) => `${code}: ${meaningOf(code, true)}`);
    assert.deepEqual(table, [
      'cancelled: ignored',
      'unknown: failure',
      'invalid_argument: success',
      'deadline_exceeded: failure',
      'not_found: success',
      'already_exists: success',
      'permission_denied: success',
      'resource_exhausted: failure',
      'failed_precondition: success',
      'aborted: success',
      'out_of_range: success',
      'unimplemented: failure',
      'internal: failure',
      'unavailable: retryable',
      'data_loss: failure',
      'unauthenticated: success',
    ]);
  });

  test('an instance that refused for want of room before taking the request invites another try', () => {
    assert.equal(meaningOf('resource_exhausted', false), 'retryable');
  });
});

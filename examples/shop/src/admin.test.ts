import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Call, perform } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { FaultSwitch } from '@heddle/traffic';
import { Fields, type HttpResponse, wholeBody } from '@heddle/wire';
import { adminService } from './admin.ts';

const token = 'the-token-of-this-test';
const right = `Bearer ${token}`;

const explain = (): never => assert.fail('nobody asked for that');

function ask(
  faults: FaultSwitch,
  authorization: string | undefined,
  method = 'GET',
  body = '',
): Promise<HttpResponse> {
  const fields = authorization === undefined ? new Fields() : Fields.of({ authorization });
  const service = adminService({
    token,
    faults,
    kill: () => assert.fail('nobody asked for that'),
    explain,
    origins: () => new Map(),
  });
  const content = wholeBody(new TextEncoder().encode(body));
  const request = { method, path: '/faults', scheme: 'http', authority: 'x', fields, body: content } as const;
  return perform(service, request, Call.root(bareRuntime(new VirtualTime())));
}

describe('adminService', () => {
  test('lets in who has the token, and nobody else', async () => {
    const faults = new FaultSwitch();
    assert.equal((await ask(faults, right)).status, 200);
    for (const wrong of [
      undefined,
      '',
      'Bearer ',
      token,
      `${right}x`,
      right.slice(0, -1),
      `Bearer ${'x'.repeat(token.length)}`,
      `${right}${right}`,
    ]) {
      const { status, fields } = await ask(faults, wrong, 'PUT', '{"hang":{"percent":100}}');
      assert.deepEqual([status, fields.get('www-authenticate')], [401, 'Bearer'], String(wrong));
    }
    assert.deepEqual(faults.faults, {});
  });

  test('switches faults on and off', async () => {
    const faults = new FaultSwitch();
    assert.equal((await ask(faults, right, 'PUT', '{"delay":{"percent":50,"ms":300}}')).status, 200);
    assert.deepEqual(faults.faults, { delay: { percent: 50, ms: 300 } });
    assert.equal((await ask(faults, right, 'PUT', '{"delay":{"percent":500,"ms":300}}')).status, 400);
    assert.deepEqual(faults.faults, { delay: { percent: 50, ms: 300 } });
    assert.equal((await ask(faults, right, 'PUT', '{}')).status, 200);
    assert.deepEqual(faults.faults, {});
  });
});

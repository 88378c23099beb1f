import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { hashKey } from '@heddle/traffic';
import { policyByName, policyNames } from './policy-by-name.ts';

const runtime = bareRuntime(new VirtualTime());
const all = ['a', 'b', 'c'].map((id, at) => ({
  id,
  weight: 100,
  zone: `z${at}`,
  region: 'r',
  priority: at,
}));

test('every name makes a policy that picks, heeds blocks, and says its name', () => {
  for (const name of policyNames) {
    const policy = policyByName(name, { ...runtime, zone: 'z0', region: 'r' });
    const blocked = all.map((each) =>
      each.id === 'a' ? { ...each, blocked: { reason: 'ejected' as const } } : each,
    );
    const picker = policy(blocked, undefined);
    for (let n = 0; n < 100; n++) {
      const call = Call.root(runtime).set(hashKey, `key ${n}`);
      assert.notEqual(picker.pick(call, [])?.id, 'a', name);
    }
    assert.ok(picker.policy.startsWith(name.slice(0, 3)), `${name}: ${picker.policy}`);
  }
});

test('locality and priority keep to what is first while that is well', () => {
  for (const name of ['locality', 'priority']) {
    const picker = policyByName(name, { ...runtime, zone: 'z0', region: 'r', within: 'round_robin' })(
      all,
      undefined,
    );
    for (let n = 0; n < 20; n++) assert.equal(picker.pick(Call.root(runtime), [])?.id, 'a', name);
  }
});

test('a name that is not known is refused with those that are', () => {
  assert.throws(() => policyByName('fastest', runtime), /expected one of round_robin, .*found "fastest"/);
  assert.throws(() => policyByName('locality', { ...runtime, within: 'x' }), /found "x"/);
});

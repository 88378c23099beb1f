import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { readDecision } from './decision.ts';

describe('a decision', () => {
  for (const [text, allowed, more] of [
    ['{"result":true}', true, {}],
    ['{"result":false}', false, { status: 403 }],
    ['{}', false, { status: 403, reason: 'the policy does not say' }],
    ['{"decision_id":"x","result":{"allow":true}}', true, {}],
    [
      '{"result":{"allowed":false,"http_status":429,"body":"later","headers":{"Retry-After":"5"}}}',
      false,
      { status: 429, body: 'later', headers: [['retry-after', '5']] },
    ],
    [
      '{"result":{"allow":true,"headers":{"x-tenant":"t1"},"reason":"a friend"}}',
      true,
      { headers: [['x-tenant', 't1']], reason: 'a friend' },
    ],
  ] as const)
    test(`${text} is ${allowed ? 'a permission' : 'none'}`, () => {
      const decision = readDecision(text);
      assert.equal(decision.allowed, allowed);
      assert.deepEqual({ ...decision, ...more }, decision);
    });

  for (const text of [
    '',
    'true',
    'null',
    '[]',
    '{"result":null}',
    '{"result":"true"}',
    '{"result":1}',
    '{"result":[true]}',
    '{"result":{}}',
    '{"result":{"allow":"yes"}}',
    '{"result":{"allow":1}}',
    '{"result":{"allow":true,"allowed":false}}',
    '{"result":{"allow":false,"allowed":true}}',
    '{"result":{"allow":true,"headers":[]}}',
    '{"result":{"allow":true,"headers":{"host":"evil"}}}',
    '{"result":{"allow":true,"headers":{"content-length":"0"}}}',
    '{"result":{"allow":true,"headers":{"x y":"1"}}}',
    '{"result":{"allow":true,"headers":{"x":"a\\r\\nb: c"}}}',
    '{"result":{"allow":true,"headers":{"x":1}}}',
    '{"result":{"allow":false,"http_status":99}}',
    '{"result":{"allow":false,"http_status":"403"}}',
  ])
    test(`${JSON.stringify(text)} is nonsense`, () => {
      assert.throws(
        () => readDecision(text),
        (thrown) => thrown instanceof HeddleError && thrown.reason === 'BAD_DECISION',
      );
    });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMissing, obtain } from '../../engines/engine.ts';
import { envoy } from '../../engines/envoy.ts';
import { proveRotation } from './prove.ts';

const found = await obtain(envoy);

test('no call fails while certificates and the root are rotated; nobody else comes in', async (t) => {
  if (isMissing(found)) return t.skip(found.missing);
  const outcome = await proveRotation({ runMs: 10_000, lifeMs: 3000, onStep: (step) => t.diagnostic(step) });
  assert.deepEqual(outcome.failed, []);
  assert.ok(outcome.calls > 100, `${outcome.calls} calls`);
  assert.ok(outcome.renewals >= 4, `${outcome.renewals} renewals`);
  for (const [what, holds] of Object.entries(outcome.strangers)) assert.ok(holds, what);
});

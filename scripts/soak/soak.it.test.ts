import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSoak } from './run-soak.ts';

// What it holds is judged by `npm run soak`, over a time in which a heap can find its size.
test('a minute of mixed traffic while upstreams are killed: nothing fails, no answer is wrong', {
  timeout: 400_000,
}, async (t) => {
  const report = await runSoak({ seconds: 60, log: (line) => t.diagnostic(line) });
  assert.equal(report.failed, 0, report.failures.join('\n'));
  assert.ok(report.requests > 100 && report.kills >= 2, `${report.requests} requests, ${report.kills} kills`);
});

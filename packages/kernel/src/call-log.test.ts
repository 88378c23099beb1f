import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from './call.ts';
import { callLog } from './call-log.ts';
import { correlationId, traceContext, userId } from './context.ts';
import { bareRuntime, VirtualTime } from './simulated/index.ts';

test('a line says which trace, request and user it belongs to', () => {
  const lines: unknown[] = [];
  const runtime = { ...bareRuntime(new VirtualTime()), log: (...line: unknown[]) => void lines.push(line) };
  const call = Call.root(runtime).set(correlationId, 'r-1').set(userId, 'u-1');
  callLog(call)('info', 'paid');
  call.set(traceContext, { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true });
  callLog(call.child())('warn', 'paid late', { seconds: 3 });
  const who = { requestId: 'r-1', userId: 'u-1' };
  assert.deepEqual(lines, [
    ['info', 'paid', who],
    ['warn', 'paid late', { seconds: 3, traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), ...who }],
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulatedRuntime } from '@heddle/kernel/simulated';
import { type AuditEntry, AuditLog, firstBroken } from './audit-log.ts';

const note = (target: string) => ({
  who: 'ann',
  role: 'admin',
  action: 'POST /users',
  target,
  outcome: 'ok',
});

test('what was noted is there after a restart, the newest first, and a torn line is dropped', async () => {
  const runtime = simulatedRuntime();
  await runtime.time.run(
    (async () => {
      const first = await AuditLog.open(runtime);
      for (const target of ['a', 'b', 'c']) await first.note(note(target));
      await first.close();
      const torn = await runtime.disk.open('console/audit.ndjson');
      await torn.append(new TextEncoder().encode('{"number":4,"at'));
      await torn.close();
      const again = await AuditLog.open(runtime);
      assert.deepEqual(
        again.find('', 10).map(({ number, target }) => [number, target]),
        [
          [3, 'c'],
          [2, 'b'],
          [1, 'a'],
        ],
      );
      await again.note(note('d'));
      assert.deepEqual(
        again.find('"d"', 10).map(({ number }) => number),
        [4],
      );
      assert.equal(firstBroken(again.find('', 10).toReversed()), undefined);
      await again.close();
    })(),
  );
});

test('whoever changes, takes out or puts in an entry breaks the chain', async () => {
  const runtime = simulatedRuntime();
  const entries = await runtime.time.run(
    (async (): Promise<AuditEntry[]> => {
      const log = await AuditLog.open(runtime);
      for (const target of ['a', 'b', 'c', 'd']) await log.note(note(target));
      return log.find('', 10).toReversed();
    })(),
  );
  const [a, b, c, d] = entries as [AuditEntry, AuditEntry, AuditEntry, AuditEntry];
  assert.equal(firstBroken([a, { ...b, who: 'bob' }, c, d]), 2);
  assert.equal(firstBroken([a, c, d]), 3);
  assert.equal(firstBroken([a, b, b, c, d]), 2);
  assert.equal(firstBroken([b, c, d]), undefined, 'the oldest may have been left behind');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, HeddleError } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { RpcParticipant } from './rpc-participant.ts';

const id = { tx: 'log.worker.1', branch: 'shop' };

test('a service that never answers has voted no, and is told again, whatever its client makes of deadlines', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const service = (): Promise<never> => new Promise(() => {});
  const shop = new RpcParticipant({ runtime, name: 'shop', service, timeoutMs: 500 });

  const vote = await time.run(shop.branch({}).prepare(id, Call.root(runtime)));
  assert.equal(vote.yes, false);
  assert.equal(vote.yes ? undefined : vote.gone, false, 'it may have prepared');
  assert.equal(vote.yes ? undefined : vote.error.code, 'deadline_exceeded');
  assert.equal(time.clock.nowMs(), 500);

  const late = (thrown: unknown): boolean =>
    thrown instanceof HeddleError && thrown.code === 'deadline_exceeded';
  await assert.rejects(time.run(shop.settle(id, 'abort')), late);
  assert.equal(time.clock.nowMs(), 1000);
});

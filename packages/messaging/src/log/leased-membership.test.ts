import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { MemoryLog } from '../adapters/memory/memory-log.ts';
import type { Claim, Engine, Membership } from '../engine.ts';
import { completeMessage } from '../message/complete-message.ts';
import { leasedEngine } from './leased-engine.ts';
import type { LogStore } from './log-store.ts';

const topic = { name: 'orders', partitions: 2, retentionMs: 1000 };

/** A store that does something else the first time that it is asked for this. */
function once(
  name: 'release' | 'commit',
  instead: () => Promise<never> | Promise<boolean>,
  store: LogStore,
): LogStore {
  let first = true;
  return new Proxy(store, {
    get: (target, asked) => {
      if (asked === name && first)
        return () => {
          first = false;
          return instead();
        };
      const found: unknown = Reflect.get(target, asked, target);
      return typeof found === 'function'
        ? (...args: unknown[]): unknown => Reflect.apply(found, target, args)
        : found;
    },
  });
}

test('a partition whose release was not heard is given back all the same', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const log = new MemoryLog(runtime);
  const times = { leaseMs: 1000, pollMs: 100 };
  await log.connect().createTopic(topic);
  const claims = new Map<string, Claim[]>();
  const join = (engine: Engine, member: string): Membership =>
    engine.join({
      topic,
      group: 'billing',
      member,
      start: 'earliest',
      temporary: false,
      onClaim: (claim) => {
        claims.set(member, [...(claims.get(member) ?? []), claim]);
        // Nothing to do: given back as soon as it is asked for.
        claim.over.on(() => void claim.release());
      },
      onProblem: () => {},
    });
  const down = (): Promise<never> =>
    Promise.reject(new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'not now' }));
  join(leasedEngine(runtime, once('release', down, log.connect()), times), 'b');
  await time.advance(500);
  assert.equal(claims.get('b')?.length, 2);
  join(leasedEngine(runtime, log.connect(), times), 'a');
  await time.advance(5000);
  const held = [...claims.values()].flat().filter((claim) => !claim.over.fired);
  assert.deepEqual(
    held.map(({ partition }) => partition).toSorted((a, b) => a - b),
    [0, 1],
  );
  assert.equal(claims.get('a')?.length, 1);
});

test('what a store has committed and then lost, as one that was killed, is committed again though nothing more comes', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const log = new MemoryLog(runtime);
  await log.connect().createTopic({ ...topic, partitions: 1 });
  const message = { topic: topic.name, payload: new Uint8Array() };
  await log.connect().append([completeMessage(message, { runtime, source: 'test' })]);
  const store = once('commit', async () => true, log.connect());
  const acknowledged: number[] = [];
  const handle = async (claim: Claim): Promise<void> => {
    const taken = (await claim.take(10)) ?? [];
    await claim.ack(taken);
    acknowledged.push(taken.length);
  };
  leasedEngine(runtime, store, { leaseMs: 1000, pollMs: 100 }).join({
    topic,
    group: 'billing',
    member: 'a',
    start: 'earliest',
    temporary: false,
    onClaim: (claim) => void handle(claim),
    onProblem: () => {},
  });
  const behind = async (): Promise<number | undefined> =>
    (await log.connect().lag(topic.name, 'billing'))[0]?.behind;
  await time.advance(1);
  assert.deepEqual([acknowledged, await behind()], [[1], 1]);
  await time.advance(1000);
  assert.equal(await behind(), 0);
});

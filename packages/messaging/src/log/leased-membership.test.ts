import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { MemoryLog } from '../adapters/memory/memory-log.ts';
import type { Claim, Engine, Membership } from '../engine.ts';
import { leasedEngine } from './leased-engine.ts';
import type { LogStore } from './log-store.ts';

const topic = { name: 'orders', partitions: 2, retentionMs: 1000 };

/** A store whose first answer to a release is an error, and that has not heard it. */
function deafOnce(store: LogStore): LogStore {
  let deaf = true;
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'release' && deaf)
        return async () => {
          deaf = false;
          throw new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'not now' });
        };
      const found: unknown = Reflect.get(target, name, target);
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
  join(leasedEngine(runtime, deafOnce(log.connect()), times), 'b');
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { completeMessage } from '../message/complete-message.ts';
import type { Delivery } from '../message/message.ts';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { KeyedLanes } from './keyed-lanes.ts';

const runtime = bareRuntime(new VirtualTime());

function delivery(key: string, offset: number): Delivery {
  const message = completeMessage(
    { topic: 'orders', key, payload: new Uint8Array() },
    { runtime, source: 'test' },
  );
  return { message, partition: 0, offset, attempt: 1 };
}

test('one key at a time, so many at once, and everything in the end', () => {
  const keys = fc.array(fc.constantFrom('', 'a', 'b', 'c'), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(
      keys,
      fc.integer({ min: 1, max: 5 }),
      fc.infiniteStream(fc.nat()),
      (added, width, chances) => {
        const lanes = new KeyedLanes(width);
        for (const [offset, key] of added.entries()) lanes.add(delivery(key, offset));
        const running: Delivery[] = [];
        const started: Delivery[] = [];
        for (;;) {
          for (let next = lanes.start(); next !== undefined; next = lanes.start()) {
            running.push(next);
            started.push(next);
          }
          assert.ok(running.length <= width);
          const keyed = running.map(({ message }) => message.key).filter((key) => key !== '');
          assert.equal(new Set(keyed).size, keyed.length, 'two of one key at once');
          if (running.length === 0) break;
          const [finished] = running.splice((chances.next().value ?? 0) % running.length, 1);
          lanes.finish(finished ?? assert.fail());
        }
        assert.equal(lanes.size, 0);
        assert.equal(started.length, added.length);
        for (const key of ['a', 'b', 'c']) {
          const offsets = started.filter(({ message }) => message.key === key).map(({ offset }) => offset);
          assert.deepEqual(
            offsets,
            offsets.toSorted((a, b) => a - b),
          );
        }
      },
    ),
  );
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { MemoryLog } from '../adapters/memory/memory-log.ts';
import type { Delivery, Message } from '../message/message.ts';
import { completeMessage } from '../message/complete-message.ts';
import { LeasedClaim } from './leased-claim.ts';
import type { LogStore } from './log-store.ts';

const topic = { name: 'orders', partitions: 1, retentionMs: 1_000_000 };
const id = { topic: topic.name, group: 'billing', member: 'm' };
const pollMs = 1000;

interface Stage {
  readonly time: VirtualTime;
  readonly claim: LeasedClaim;
  /** Appends so many messages, and says so unless `silently`. */
  readonly append: (count: number, silently?: 'silently') => Promise<void>;
  /** Reads so far. */
  readonly reads: () => number;
}

async function stage(readsToTheEnd: boolean, abandoned = 0): Promise<Stage> {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const log = new MemoryLog(runtime).connect();
  await log.createTopic(topic);
  const { owned } = await log.renew(id, { start: 'earliest', leaseMs: 60_000, temporary: false });
  let reads = 0;
  const store: LogStore = new Proxy(log, {
    get: (target, name) => {
      if (name === 'readsToTheEnd') return readsToTheEnd;
      if (name === 'read') reads += 1;
      const found: unknown = Reflect.get(target, name, target);
      return typeof found === 'function'
        ? (...args: unknown[]): unknown => Reflect.apply(found, target, args)
        : found;
    },
  });
  const holding = { partition: 0, epoch: owned[0]?.epoch ?? 0, next: owned[0]?.next ?? 0, abandoned };
  const claim = new LeasedClaim({ runtime, store, id, holding, pollMs });
  const message = (): Message =>
    completeMessage({ topic: topic.name, payload: new Uint8Array() }, { runtime, source: 'test' });
  const append = async (count: number, silently?: 'silently'): Promise<void> => {
    await log.append(Array.from({ length: count }, message));
    if (silently === undefined) claim.poke();
  };
  return { time, claim, append, reads: () => reads };
}

/** How many `take` has given, once it has given any. */
function taking(claim: LeasedClaim, max: number): () => number | undefined {
  let taken: readonly Delivery[] | undefined;
  void claim.take(max).then((found) => {
    taken = found;
  });
  return () => taken?.length;
}

suite('a leased claim', () => {
  test('does not read again what it has read to its end, until there is more', async () => {
    const { time, claim, append, reads } = await stage(true);
    await append(3);
    assert.equal((await claim.take(10))?.length, 3);
    const next = taking(claim, 10);
    await time.advance(pollMs / 2);
    assert.equal(reads(), 1);
    await append(2);
    await time.advance(1);
    assert.equal(next(), 2);
    assert.equal(reads(), 2);
  });

  test('reads on at once after a read that was full', async () => {
    const { claim, append, reads } = await stage(true);
    await append(4);
    assert.equal((await claim.take(2))?.length, 2);
    assert.equal((await claim.take(2))?.length, 2);
    assert.equal(reads(), 2);
  });

  test('reads again where the store does not say that it reads to the end', async () => {
    const { time, claim, append, reads } = await stage(false);
    await append(3);
    await claim.take(10);
    taking(claim, 10);
    await time.advance(pollMs / 2);
    assert.equal(reads(), 2);
  });

  test('finds what nobody has told it of when it looks by itself', async () => {
    const { time, claim, append } = await stage(true);
    await append(1);
    await claim.take(10);
    const next = taking(claim, 10);
    await append(1, 'silently');
    await time.advance(pollMs / 2);
    assert.equal(next(), undefined);
    await time.advance(pollMs);
    assert.equal(next(), 1);
  });

  test('misses nothing that is appended between two takes', async () => {
    const { time, claim, append } = await stage(true);
    await append(1);
    await claim.take(10);
    await append(1);
    const next = taking(claim, 10);
    await time.advance(1);
    assert.equal(next(), 1);
  });

  test('takes what may have killed its consumer alone, and goes on once that is done', async () => {
    const { time, claim, append } = await stage(true, 1);
    await append(3);
    const [first] = (await claim.take(10)) ?? [];
    assert.equal(first?.attempt, 2);
    const next = taking(claim, 10);
    await time.advance(pollMs / 2);
    assert.equal(next(), undefined);
    await claim.ack(first === undefined ? [] : [first]);
    await time.advance(1);
    assert.equal(next(), 2);
  });
});

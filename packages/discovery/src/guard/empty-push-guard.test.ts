import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from '@heddle/wire';
import { type EmbeddedRegistry, embeddedRegistry } from '../embedded/embedded-registry.ts';
import { instance } from '../registry/validate-instance.ts';
import { Fleet } from '../testing/fleet.ts';
import { type VirtualRuntime, virtualRuntime } from '../testing/virtual-runtime.ts';
import { recordWatch, type WatchRecord } from '../testing/watch-record.ts';
import { type EmptyPushGuardOptions, emptyPushGuard, type HeldBack } from './empty-push-guard.ts';

interface Stage {
  readonly runtime: VirtualRuntime;
  readonly inner: EmbeddedRegistry;
  readonly watch: WatchRecord;
  /** Ids that answer. */
  readonly alive: Set<string>;
  readonly reports: HeldBack[];
  readonly put: (...ids: string[]) => Promise<void>;
  readonly drop: (...ids: string[]) => Promise<void>;
}

async function stage(count: number, options: Partial<EmptyPushGuardOptions> = {}): Promise<Stage> {
  const runtime = virtualRuntime();
  const inner = await runtime.time.run(embeddedRegistry(runtime));
  const ids = Array.from({ length: count }, (_, at) => `i${at}`);
  const alive = new Set(ids);
  const reports: HeldBack[] = [];
  const put = async (...wanted: string[]): Promise<void> => {
    const made = wanted.map((id) => instance({ service: 'users', id, address: 'h', port: 1 }));
    const puts = made.map((one) => inner.store.put({ instance: one, lease: 'L', ttlMs: 3_600_000 }, true));
    await runtime.time.run(Promise.all(puts));
  };
  await put(...ids);
  const registry = emptyPushGuard(inner, {
    runtime,
    answers: async ({ id }) => alive.has(id),
    onHeldBack: (report) => reports.push(report),
    ...options,
  });
  const watch = recordWatch(registry, 'users');
  await runtime.time.advance(0);
  // All in one turn, so that the watch sees one push.
  const drop = async (...gone: string[]): Promise<void> => {
    await runtime.time.run(Promise.all(gone.map((id) => inner.store.remove('users', id))));
    await runtime.time.advance(0);
  };
  return { runtime, inner, watch, alive, reports, put, drop };
}

test('an empty push is held back while the instances answer, is told, and believed after the grace', async () => {
  const { runtime, watch, reports, drop } = await stage(3);
  await drop('i0', 'i1', 'i2');
  assert.deepEqual([watch.ids, watch.latest?.heldBack], ['i0,i1,i2', 3]);
  assert.ok(runtime.lines.some((line) => line.includes('would take away most')));
  await runtime.time.advance(29_000);
  assert.equal(watch.ids, 'i0,i1,i2');
  await runtime.time.advance(1_000);
  assert.deepEqual([watch.ids, watch.latest?.heldBack], ['', 0]);
  assert.deepEqual(
    [reports[0], reports.at(-1)],
    [
      { service: 'users', instances: 3, of: 3 },
      { service: 'users', instances: 0, of: 0 },
    ],
  );
});

test('what does not answer goes at once, what stops answering goes soon', async () => {
  const { runtime, watch, alive, drop } = await stage(3);
  alive.delete('i1');
  await drop('i0', 'i1', 'i2');
  await runtime.time.advance(0);
  assert.equal(watch.ids, 'i0,i2');
  alive.delete('i0');
  await runtime.time.advance(1_000);
  assert.equal(watch.ids, 'i2');
  alive.delete('i2');
  await runtime.time.advance(1_000);
  assert.deepEqual([watch.ids, watch.latest?.heldBack], ['', 0], 'before the grace is over');
});

test('instances that come back are the registry’s again, and new ones are shown at once', async () => {
  const { runtime, watch, put, drop } = await stage(3);
  await drop('i0', 'i1', 'i2');
  await put('i1');
  assert.deepEqual([watch.ids, watch.latest?.heldBack], ['i1', 0], 'a third of three is no lost mind');
  await put('i0', 'i2', 'i9');
  await runtime.time.advance(60_000);
  assert.deepEqual([watch.ids, watch.latest?.heldBack], ['i0,i1,i2,i9', 0]);
});

test('most of many is doubted, most of few is not', async () => {
  const many = await stage(10);
  await many.drop('i0', 'i1', 'i2', 'i3', 'i4', 'i5', 'i6', 'i7');
  assert.deepEqual([many.watch.latest?.instances.length, many.watch.latest?.heldBack], [10, 8]);
  const some = await stage(10);
  await some.drop('i0', 'i1', 'i2', 'i3', 'i4', 'i5', 'i6');
  assert.equal(some.watch.latest?.instances.length, 3, 'exactly the share is believed');
  const few = await stage(4);
  await few.drop('i0', 'i1', 'i2');
  assert.equal(few.watch.ids, 'i3');
});

test('a fleet that is replaced by as many others is believed', async () => {
  const { runtime, inner, watch } = await stage(6);
  const swap = Array.from({ length: 6 }, (_, at) => {
    const made = instance({ service: 'users', id: `new${at}`, address: 'h', port: 1 });
    void inner.store.put({ instance: made, lease: 'L', ttlMs: 60_000 }, true);
    return inner.store.remove('users', `i${at}`);
  });
  await runtime.time.run(Promise.all(swap));
  await runtime.time.advance(0);
  assert.deepEqual(
    [watch.latest?.heldBack, watch.latest?.instances.every(({ id }) => id.startsWith('new'))],
    [0, true],
  );
});

test('a service that shrinks one by one is believed to the last, which is held', async () => {
  const { watch, drop } = await stage(3);
  for (const [id, left] of [
    ['i0', 'i1,i2'],
    ['i1', 'i2'],
  ] as const) {
    await drop(id);
    assert.equal(watch.ids, left);
  }
  await drop('i2');
  assert.deepEqual([watch.ids, watch.latest?.heldBack], ['i2', 1]);
});

test('nothing runs on after the reader has left', async () => {
  const { runtime, inner, watch, drop } = await stage(3);
  await drop('i0', 'i1', 'i2');
  await watch.stop();
  await runtime.time.run(inner.close());
  await runtime.time.advance(0);
  assert.equal(runtime.time.pending, 0);
});

test('by default an instance answers that accepts a connection', async () => {
  const fleet = new Fleet();
  const server = await fleet.serve('registry');
  const up = fleet.start('up');
  await fleet.time.run(
    serve(async () => assert.fail('only a connection is made'), {
      runtime: up,
      address: { host: 'up', port: 80 },
    }),
  );
  fleet.start('down');
  const client = fleet.client('client');
  const watch = recordWatch(emptyPushGuard(client.registry, { runtime: client.on }), 'users');
  const put = (host: string): Promise<void> => {
    const made = instance({ service: 'users', id: host, address: host, port: 80 });
    return server.registry.store.put({ instance: made, lease: 'L', ttlMs: 3_600_000 }, true);
  };
  await fleet.time.run(Promise.all([put('up'), put('down')]));
  await fleet.time.runUntil(() => watch.ids === 'down,up', 2000);
  await fleet.time.run(Promise.all(['up', 'down'].map((id) => server.registry.store.remove('users', id))));
  await fleet.time.runUntil(() => watch.ids === 'up' && watch.latest?.heldBack === 1, 3000);
  await fleet.time.runUntil(() => watch.ids === '', 31_000);
  await fleet.time.run(watch.stop());
});

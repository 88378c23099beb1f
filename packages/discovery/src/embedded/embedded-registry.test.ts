import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import type { Instance } from '../registry/instance.ts';
import { instance } from '../registry/validate-instance.ts';
import { diskFull, memoryDisk } from '../testing/memory-disk.ts';
import { type VirtualRuntime, virtualRuntime } from '../testing/virtual-runtime.ts';
import {
  type EmbeddedRegistry,
  type EmbeddedRegistryOptions,
  embeddedRegistry,
} from './embedded-registry.ts';

const users = { service: 'users', address: '10.0.0.1', port: 80 };

async function open(runtime: VirtualRuntime, options?: EmbeddedRegistryOptions): Promise<EmbeddedRegistry> {
  return runtime.time.run(embeddedRegistry(runtime, options));
}

/** The process is gone; nothing it wanted to say is said. */
function abandon(runtime: VirtualRuntime): VirtualRuntime {
  return virtualRuntime(2, runtime.disk);
}

const template = instance({ id: 'template', service: 'users', address: 'h', port: 1 });

/** An entry whose holder will never renew it. */
function putDead(registry: EmbeddedRegistry, id: string, service = 'users'): Promise<void> {
  return registry.store.put(
    { instance: { ...template, id, service }, lease: `of-${id}`, ttlMs: 10_000 },
    true,
  );
}

async function idsOf(registry: EmbeddedRegistry, service = 'users'): Promise<string[]> {
  return (await registry.instances(service)).instances.map(({ id }) => id);
}

test('a registration is kept far beyond its lease, and its heartbeats are seen', async () => {
  const runtime = virtualRuntime();
  const registry = await open(runtime);
  const held = await runtime.time.run(registry.register(users));
  assert.equal(held.registered, true);
  await runtime.time.advance(3_600_000);
  assert.equal(held.registered, true);
  const [seen] = (await registry.instances('users')).instances;
  assert.ok(seen !== undefined && runtime.clock.wallMs() - seen.lastHeartbeatMs < 4000);
  assert.equal(registry.store.position.revision, 1, 'heartbeats are no changes');
  await runtime.time.run(registry.close());
  assert.equal(runtime.time.pending, 0);
});

test('a dead instance is gone within its lease and a second', async () => {
  const runtime = virtualRuntime();
  const registry = await open(runtime);
  await runtime.time.run(putDead(registry, 'dead'));
  await runtime.time.advance(9_999);
  assert.deepEqual(await idsOf(registry), ['dead']);
  await runtime.time.advance(1_001);
  assert.deepEqual(await idsOf(registry), []);
});

test('the time of day may jump by an hour, either way, and nothing lapses', async () => {
  const runtime = virtualRuntime();
  const registry = await open(runtime);
  await runtime.time.run(putDead(registry, 'a'));
  for (const skewMs of [3_600_000, -3_600_000]) {
    runtime.wallSkewMs = skewMs;
    await runtime.time.advance(2_000);
    assert.deepEqual(await idsOf(registry), ['a']);
  }
  await runtime.time.advance(7_000);
  assert.deepEqual(await idsOf(registry), []);
});

test('after a restart all is there, under a new term, with one lease of grace', async () => {
  const before = virtualRuntime();
  const first = await open(before);
  await before.time.run(
    Promise.all([putDead(first, 'a'), putDead(first, 'b'), putDead(first, 'x', 'orders')]),
  );
  await before.time.run(first.store.remove('users', 'a'));
  const old = first.store.position;
  const after = abandon(before);
  const second = await open(after);
  assert.deepEqual([await idsOf(second), await idsOf(second, 'orders')], [['b'], ['x']]);
  assert.ok(second.store.position.term > old.term);
  assert.equal(second.store.position.revision, old.revision);
  await after.time.advance(9_900);
  assert.deepEqual(await idsOf(second), ['b']);
  await after.time.run(second.store.renew('users', 'b', 'of-b', undefined));
  await after.time.advance(1_100);
  assert.deepEqual([await idsOf(second), await idsOf(second, 'orders')], [['b'], []]);
});

test('the term grows at each start, also when the clock is behind or the folder was wiped', async () => {
  const disk = memoryDisk();
  const terms: number[] = [];
  for (const skewMs of [0, 0, -3_600_000]) {
    const runtime = virtualRuntime(1, disk);
    runtime.wallSkewMs = skewMs;
    terms.push((await open(runtime)).store.position.term);
  }
  const wiped = virtualRuntime();
  wiped.wallSkewMs = 1000;
  terms.push((await open(wiped)).store.position.term);
  for (const [at, term] of terms.entries()) assert.ok(at === 0 || term > (terms[at - 1] ?? 0), String(terms));
});

test('a torn tail is cut off at the start, told, and the next start is clean', async () => {
  const before = virtualRuntime();
  const registry = await open(before);
  await before.time.run(putDead(registry, 'a'));
  await before.time.run(putDead(registry, 'b'));
  const journal = before.disk.files.get('registry/journal') ?? new Uint8Array(0);
  for (const lost of [1, 20, 60]) {
    const disk = memoryDisk();
    for (const [path, bytes] of before.disk.files) disk.files.set(path, bytes);
    disk.files.set('registry/journal', journal.slice(0, journal.byteLength - lost));
    const runtime = virtualRuntime(1, disk);
    const repaired = await open(runtime);
    assert.deepEqual(await idsOf(repaired), ['a']);
    assert.match(runtime.lines.join('\n'), /torn record/);
    const again = abandon(runtime);
    assert.deepEqual(await idsOf(await open(again)), ['a']);
    assert.deepEqual(again.lines, []);
  }
});

test('damage in the middle, in the snapshot, or of another version is refused and says what to do', async () => {
  const before = virtualRuntime();
  const registry = await open(before);
  await before.time.run(putDead(registry, 'a'));
  await before.time.run(putDead(registry, 'b'));
  const flip = async (path: string, at: number): Promise<HeddleError> => {
    const disk = memoryDisk();
    for (const [name, bytes] of before.disk.files) disk.files.set(name, bytes.slice());
    const bytes = disk.files.get(path) ?? new Uint8Array(0);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    return open(virtualRuntime(1, disk)).then(
      () => assert.fail('it was opened'),
      (error: unknown) => HeddleError.from(error),
    );
  };
  for (const [path, at] of [
    ['registry/journal', 30],
    ['registry/snapshot', 30],
    ['registry/snapshot', 2],
  ] as const) {
    const error = await flip(path, at);
    assert.ok(error.is('data_loss', 'REGISTRY_DAMAGED'), String(error));
    assert.match(error.message, new RegExp(`${path}.*byte.*move the folder away`));
  }
});

test('a crash between the two steps of a compaction brings nothing back', async () => {
  const before = virtualRuntime();
  const registry = await open(before);
  await before.time.run(putDead(registry, 'a'));
  await before.time.run(putDead(registry, 'b'));
  await before.time.run(registry.store.remove('users', 'a'));
  const journal = before.disk.files.get('registry/journal') ?? new Uint8Array(0);
  const compacted = abandon(before);
  await open(compacted);
  assert.equal(compacted.disk.files.get('registry/journal')?.byteLength, 0);
  compacted.disk.files.set('registry/journal', journal);
  const after = await open(abandon(compacted));
  assert.deepEqual([await idsOf(after), after.store.position.revision], [['b'], 3]);
});

test('a journal that does not follow on its snapshot is refused', async () => {
  const [one, other] = [virtualRuntime(), virtualRuntime()];
  const [registry, longer] = [await open(one), await open(other)];
  await one.time.run(putDead(registry, 'a'));
  await other.time.run(putDead(longer, 'a'));
  await other.time.run(putDead(longer, 'b'));
  const next = abandon(other);
  await next.time.run(putDead(await open(next), 'c'));
  one.disk.files.set('registry/journal', next.disk.files.get('registry/journal') ?? new Uint8Array(0));
  await assert.rejects(open(abandon(one)), {
    reason: 'REGISTRY_DAMAGED',
    message: /from revision 0 to 3: expected 1/,
  });
});

test('the journal is compacted, and what it held is still there', async () => {
  const before = virtualRuntime();
  const registry = await open(before);
  const metadata = { filler: 'x'.repeat(1000) };
  for (let round = 0; round < 30; round++) {
    const puts = Array.from({ length: 50 }, (_, at) => {
      const changed = { ...template, id: `i${at}`, weight: round, metadata };
      return registry.store.put({ instance: changed, lease: 'L', ttlMs: 10_000 }, true);
    });
    await before.time.run(Promise.all(puts));
  }
  await before.time.advance(1);
  assert.ok((before.disk.files.get('registry/journal')?.byteLength ?? 0) < 1_100_000);
  const second = await open(abandon(before));
  const { instances, revision } = await second.instances('users');
  assert.deepEqual([instances.length, revision], [50, 1500]);
  assert.ok(instances.every(({ weight }) => weight === 29));
});

test('a full disk stops nothing: it is told, and mended when there is room again', async () => {
  const runtime = virtualRuntime();
  const registry = await open(runtime);
  runtime.disk.failure = diskFull();
  await runtime.time.run(putDead(registry, 'a'));
  assert.deepEqual(await idsOf(registry), ['a']);
  assert.equal(registry.problem?.reason, 'DISK_FULL');
  assert.equal(registry.store.status.durable, false);
  await runtime.time.advance(2_000);
  runtime.disk.failure = undefined;
  await runtime.time.advance(2_000);
  assert.equal(registry.problem, undefined);
  assert.deepEqual(await idsOf(await open(abandon(runtime))), ['a']);
});

test('a registry that was paused itself evicts nobody for one lease', async () => {
  const runtime = virtualRuntime();
  const registry = await open(runtime);
  await runtime.time.run(putDead(registry, 'a'));
  runtime.pause();
  await runtime.time.advance(60_000);
  runtime.resume();
  await runtime.time.advance(9_000);
  assert.deepEqual(await idsOf(registry), ['a']);
  await runtime.time.advance(2_000);
  assert.deepEqual(await idsOf(registry), []);
});

test('a watch sees each change of its service and no others, in order', async () => {
  const runtime = virtualRuntime();
  const registry = await open(runtime);
  const watch = registry.watch('users');
  const seen = async (): Promise<string> => {
    const { value } = await runtime.time.run(watch.next());
    return `r${value?.revision} ${value?.instances.map((one: Instance) => one.id).join()}`;
  };
  assert.equal(await seen(), 'r0 ');
  await runtime.time.run(putDead(registry, 'x', 'orders'));
  await runtime.time.run(putDead(registry, 'a'));
  assert.equal(await seen(), 'r2 a');
  await runtime.time.run(Promise.all([putDead(registry, 'b'), putDead(registry, 'c')]));
  assert.equal(await seen(), 'r4 a,b,c');
  await runtime.time.advance(11_000);
  assert.equal(await seen(), 'r8 ');
});

test('instances that lapse in one look are one new state', async () => {
  const runtime = virtualRuntime();
  const registry = await open(runtime);
  await runtime.time.run(Promise.all(['a', 'b', 'c'].map((id) => putDead(registry, id))));
  const states: number[] = [];
  const watch = registry.watch('users');
  const reading = (async () => {
    for await (const { instances } of watch) states.push(instances.length);
  })();
  await runtime.time.advance(11_000);
  await runtime.time.run(registry.close());
  await reading;
  assert.deepEqual(states, [3, 0]);
});

test('an instance that did not change is the same object in the next snapshot', async () => {
  const runtime = virtualRuntime();
  const registry = await open(runtime);
  await runtime.time.run(putDead(registry, 'a'));
  const before = registry.store.snapshot('users').instances[0];
  await runtime.time.run(registry.store.renew('users', 'a', 'of-a', undefined));
  await runtime.time.run(putDead(registry, 'b'));
  assert.equal(registry.store.snapshot('users').instances[0], before);
});

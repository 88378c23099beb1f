// Leases of real processes: kept while the main thread is blocked, lost when the process is dead, stopped or stuck.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type HttpServer, serve } from '@heddle/wire';
import { type EmbeddedRegistry, embeddedRegistry } from '../../embedded/embedded-registry.ts';
import { registryService } from '../../embedded/registry-service.ts';
import { until } from '../../testing/registry-stage.ts';
import { recordWatch, type WatchRecord } from '../../testing/watch-record.ts';

const token = 'sesame';
const ttlMs = 2000;
const program = fileURLToPath(new URL('../../testing/registered-process.ts', import.meta.url));
const client = new URL('../../testing/remote-client.ts', import.meta.url).href;

describe('a lease thread', { timeout: 120_000 }, () => {
  let folder = '';
  let registry: EmbeddedRegistry;
  let server: HttpServer;
  let runtime: ReturnType<typeof nodeRuntime>;
  const children: ChildProcess[] = [];

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'heddle-leases-'));
    runtime = nodeRuntime({ name: 'test', dataFolder: folder, logLevel: 'error' });
    registry = await embeddedRegistry(runtime, { ttlMs });
    server = await serve(registryService(registry, { token }), {
      runtime,
      address: { host: '127.0.0.1', port: 0 },
    });
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await registry.close();
    await server.stop();
    await rm(folder, { recursive: true });
  });

  /** Starts a process that has registered `x`, and a watch that has seen it. */
  async function start(maxBlockedMs: number, blockMs: number): Promise<[ChildProcess, WatchRecord]> {
    const watch = recordWatch(registry, 'users');
    const options = JSON.stringify({ port: server.address.port, token, ttlMs, maxBlockedMs });
    const args = ['--conditions=@heddle/source', program, client, options, String(blockMs)];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    assert.equal(await nextLine(child), 'registered');
    await until(runtime, 'x is seen', 2000, () => watch.ids === 'x');
    // The thread has to know of the lease: with the second renewal at the latest it does.
    await sleep(runtime.timers, (ttlMs * 2) / 3);
    return [child, watch];
  }

  /** Kills the process; its lease, if it has one, is waited for. */
  async function end(child: ChildProcess, watch: WatchRecord): Promise<void> {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    await until(runtime, 'x has gone', ttlMs + 1000, () => watch.ids === '');
    await watch.stop();
  }

  it('keeps an instance registered through a main thread that is blocked for 20 s, ten leases long', async () => {
    const [child, watch] = await start(60_000, 20_000);
    const seen = watch.snapshots.length;
    child.stdin?.write('block\n');
    const line = await nextLine(child);
    assert.equal(line, 'true 0', 'it holds itself for registered at once, and always has');
    assert.equal(watch.snapshots.length, seen, 'nobody ever saw it go');
    await end(child, watch);
  });

  it('is what does it: without one the same process loses its lease', async () => {
    const [child, watch] = await start(0, 4 * ttlMs);
    child.stdin?.write('block\n');
    await until(runtime, 'x has gone', 2 * ttlMs + 1000, () => watch.ids === '');
    assert.match((await nextLine(child)) ?? '', /^false/);
    await until(runtime, 'x is back', ttlMs + 1000, () => watch.ids === 'x');
    await end(child, watch);
  });

  it('gives up on a main thread that stays blocked, and the instance comes back with it', async () => {
    const maxBlockedMs = 3000;
    const [child, watch] = await start(maxBlockedMs, 14_000);
    const startedMs = runtime.clock.nowMs();
    child.stdin?.write('block\n');
    await until(runtime, 'x has gone', maxBlockedMs + 3 * ttlMs + 1000, () => watch.ids === '');
    const tookMs = runtime.clock.nowMs() - startedMs;
    assert.ok(tookMs >= maxBlockedMs, `it was kept for ${tookMs} ms, and ${maxBlockedMs} were allowed`);
    assert.match((await nextLine(child)) ?? '', /^false/, 'the gauge needs no message to be right');
    await until(runtime, 'x is back', ttlMs + 1000, () => watch.ids === 'x');
    await end(child, watch);
  });

  it('does not outlive its process: killed, the lease ends in its time', async () => {
    const [child, watch] = await start(60_000, 0);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    await until(runtime, 'x has gone', ttlMs + 1000, () => watch.ids === '');
    await watch.stop();
  });

  it('stands still with a stopped process, whose lease ends, and registers anew when it goes on', async () => {
    const [child, watch] = await start(60_000, 0);
    child.kill('SIGSTOP');
    await until(runtime, 'x has gone', ttlMs + 1000, () => watch.ids === '');
    child.kill('SIGCONT');
    await until(runtime, 'x is back', ttlMs + 1000, () => watch.ids === 'x');
    await end(child, watch);
  });
});

async function nextLine(child: ChildProcess): Promise<string | undefined> {
  const [line] = (await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data')) as [Buffer];
  return line.toString().trim();
}

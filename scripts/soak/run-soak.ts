// Mixed traffic through the real gateway while its upstreams are killed one after the other: what may not fail does not,
// no answer is another one's, and what the gateway holds does not grow.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type RunningGateway, startGateway } from '../contracts/gateway/heddle.ts';
import { type Asked, steadyLoad } from '../contracts/gateway/steady-load.ts';
import { endWithUs, freePorts } from '../engines/running.ts';
import { heldHeapBytes } from './held-heap.ts';

/** How to run it. */
export interface SoakOptions {
  readonly seconds: number;
  /** Hears of every kill and measurement. */
  readonly log: (line: string) => void;
}

/** What came of it. */
export interface SoakReport {
  readonly requests: number;
  readonly kills: number;
  /** Failures of requests that may be repeated, and answers that were not for the question; the first few. */
  readonly failures: readonly string[];
  readonly failed: number;
  /** Of the gateway, when it had warmed up and at the end. */
  readonly before: Held;
  readonly after: Held;
}

/** What a process holds. */
export interface Held {
  readonly heapMiB: number;
  readonly handles: number;
}

/** Room for caches that fill, and for connections and content that happen to be on their way. */
const heapRoomMiB = 24;
const handleRoom = 64;

/** True where nothing has grown. */
export function isFlat({ before, after }: SoakReport): boolean {
  return after.heapMiB <= before.heapMiB + heapRoomMiB && after.handles <= before.handles + handleRoom;
}

const upstreams = 3;
const killEveryMs = 3000;
const loops = 8;

/** Runs the soak. Rejects only if it cannot be run. */
export async function runSoak({ seconds, log }: SoakOptions): Promise<SoakReport> {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-soak-'));
  const [inspector = 0, ...ports] = await freePorts(upstreams + 1);
  const running = await Promise.all(ports.map(startUpstream));
  const file = path.join(folder, 'gateway.json');
  writeFileSync(file, documentOf(ports));
  const gateway = await startGateway(['--config', file, '--port', '0', '--workers', '1'], {
    NODE_OPTIONS: `--inspect=127.0.0.1:${inspector}`,
  });
  let kills = 0;
  try {
    const load = steadyLoad(gateway.url, loops, asked);
    const endAt = performance.now() + seconds * 1000;
    // The first fifth is for the heap to find its size.
    const warmAt = performance.now() + seconds * 200;
    let before: Held | undefined;
    while (performance.now() < endAt) {
      const at = kills % upstreams;
      await kill(running[at]);
      kills += 1;
      await delay(killEveryMs / 3);
      running[at] = await startUpstream(ports[at] ?? 0);
      await delay((killEveryMs * 2) / 3);
      if (performance.now() < warmAt) continue;
      const now = await heldBy(gateway, inspector);
      before ??= now;
      log(`${load.report.done} requests, ${kills} kills: ${now.heapMiB} MiB, ${now.handles} handles`);
    }
    const { done, failed, failures } = await load.stop();
    const after = await heldBy(gateway, inspector);
    log(`${done} requests, ${kills} kills: ${after.heapMiB} MiB, ${after.handles} handles, ${failed} failed`);
    return { requests: done, kills, failed, failures, before: before ?? after, after };
  } finally {
    await gateway.stop();
    await Promise.all(running.map(kill));
    rmSync(folder, { recursive: true, force: true });
  }
}

function documentOf(ports: readonly number[]): string {
  const upstream = `static:///${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  const rule = { algorithm: 'token_bucket', limit: 1_000_000, windowMs: 1000 };
  return JSON.stringify({
    routes: [
      { path: '/plain', upstream, attempts: 5, timeoutMs: 60_000 },
      {
        path: '/limited',
        upstream,
        attempts: 5,
        timeoutMs: 60_000,
        rateLimit: [{ name: 'all', key: ['ip'], rule }],
      },
      { path: '/rewritten', rewrite: '/other', upstream, attempts: 5, timeoutMs: 60_000 },
      { path: '/own', respond: { status: 200, body: 'own' } },
    ],
  });
}

/** In turn: small and large, with content and without; all of them may be repeated, and each is told from the others. */
function asked(n: number): Asked {
  const size = n % 50 === 0 ? 50_000 : n % 5;
  const body = 'x'.repeat(size);
  const sum = (size * 120) % 65_521;
  const answer = (at: string): RegExp => new RegExp(`"path":"${at}/${n}","bytes":${size},"sum":${sum}\\b`);
  switch (n % 4) {
    case 0:
      return { path: `/plain/${n}`, method: 'PUT', body, expected: answer('/plain') };
    case 1:
      return { path: `/limited/${n}`, method: 'PUT', body, expected: answer('/limited') };
    case 2:
      return { path: `/rewritten/${n}`, method: 'PUT', body, expected: answer('/other') };
    default:
      return { path: '/own', expected: /^own$/ };
  }
}

async function startUpstream(port: number): Promise<ChildProcess> {
  const args = ['--conditions=@heddle/source', path.join(import.meta.dirname, 'upstream.ts'), String(port)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  endWithUs(child);
  await Promise.race([once(child, 'message'), once(child, 'exit')]);
  return child;
}

async function kill(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Without the garbage: what is collected was not held. Without /proc there are no handles to count. */
async function heldBy({ child }: RunningGateway, inspector: number): Promise<Held> {
  const folder = `/proc/${child.pid}/fd`;
  return {
    heapMiB: Math.round((await heldHeapBytes(inspector)) / 104_857.6) / 10,
    handles: existsSync(folder) ? readdirSync(folder).length : 0,
  };
}

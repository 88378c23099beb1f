// A process whose main thread is blocked for long, on the real server: its leases are kept by a thread.
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import {
  type RegistryCase,
  type RegistryStage,
  recordWatch,
  seenWithin,
  until,
} from '@heddle/discovery/testing';
import { type Address, sleep } from '@heddle/kernel';
import { endWithUs } from '../../engines/running.ts';

const program = path.resolve(
  import.meta.dirname,
  '../../../packages/discovery/src/testing/registered-process.ts',
);
const leaseMs = 6000;

/** How a process registers itself: a module that exports a `ClientModule`, and its options, which are made JSON. */
export interface ClientProgram {
  readonly module: URL;
  readonly options: (address: Address, ttlMs: number, stage: RegistryStage) => unknown;
  /** How long its main thread is blocked. Default 20 s. */
  readonly blockMs?: number;
  /** A server that others use too will do. */
  readonly onShared?: boolean;
}

/** The case, for a backend that other processes reach. */
export function blockedProcessCase(client: ClientProgram): RegistryCase {
  const { blockMs = 20_000, onShared = false } = client;
  return {
    name: 'a process whose main thread is blocked for 20 s, more than three leases long, stays registered; killed, it goes',
    uses: ['register', 'leases'],
    needs: onShared ? [] : ['kill'],
    run: async (stage) => {
      const watch = recordWatch(await stage.open(), 'users');
      const child = spawnRegistered(client, stage);
      try {
        const lines = linesOf(child);
        assert.equal(await lines.next(), 'registered');
        await until(stage.runtime, 'x is seen', seenWithin(stage), () => watch.ids === 'x');
        // The thread has to know of the lease: with the second renewal at the latest it does.
        await sleep(stage.runtime.timers, leaseMs);
        const seen = watch.snapshots.length;
        child.stdin.write('block\n');
        assert.equal(await lines.next(), 'true 0', 'it holds itself for registered, and always has');
        // Its main thread takes over again.
        await sleep(stage.runtime.timers, leaseMs);
        assert.equal(watch.snapshots.length, seen, 'nobody ever saw it go');
      } finally {
        child.kill('SIGKILL');
      }
      const sinceMs = stage.runtime.clock.nowMs();
      await until(stage.runtime, 'x has gone', leaseMs + 1000, () => watch.ids === '');
      await watch.stop();
      return `blocked for ${blockMs} ms; killed, it was out after ${Math.round(stage.runtime.clock.nowMs() - sinceMs)} ms (lease ${leaseMs} ms)`;
    },
  };
}

/** Starts a process that registers `x` of `users` on that stage. See `registered-process.ts` for what it says. */
export function spawnRegistered(
  { module, options, blockMs = 20_000 }: ClientProgram,
  stage: RegistryStage,
): ChildProcessByStdio<Writable, Readable, null> {
  assert.ok(stage.address !== undefined, 'the stage has no address');
  const given = JSON.stringify(options(stage.address, leaseMs, stage));
  const args = ['--conditions=@heddle/source', program, module.href, given, String(blockMs)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  endWithUs(child);
  return child;
}

/** What it says, line by line. */
export function linesOf({ stdout }: { readonly stdout: Readable }): {
  next(): Promise<string | undefined>;
} {
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  return { next: async () => (await lines.next()).value };
}

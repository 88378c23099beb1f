// A process whose main thread is blocked for long, on the real server: its leases are kept by a thread.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type RegistryCase, recordWatch, seenWithin, until } from '@heddle/discovery/testing';
import { type Address, sleep } from '@heddle/kernel';
import { endWithUs } from '../../engines/running.ts';

const program = path.resolve(
  import.meta.dirname,
  '../../../packages/discovery/src/testing/registered-process.ts',
);
const blockMs = 20_000;
const leaseMs = 4000;

/** How a process registers itself: a module that exports a `ClientModule`, and its options, which are made JSON. */
export interface ClientProgram {
  readonly module: URL;
  readonly options: (address: Address, ttlMs: number) => unknown;
}

/** The case, for a backend that other processes reach. */
export function blockedProcessCase(client: ClientProgram): RegistryCase {
  return {
    name: 'a process whose main thread is blocked for 20 s, five leases long, stays registered; killed, it goes',
    uses: ['register', 'leases'],
    // It wants a server of its own.
    needs: ['kill'],
    run: async (stage) => {
      assert.ok(stage.address !== undefined, 'the stage has no address');
      const watch = recordWatch(await stage.open(), 'users');
      const given = JSON.stringify(client.options(stage.address, leaseMs));
      const args = ['--conditions=@heddle/source', program, client.module.href, given, String(blockMs)];
      const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
      endWithUs(child);
      try {
        const lines = linesOf(child);
        assert.equal(await lines.next(), 'registered');
        await until(stage.runtime, 'x is seen', seenWithin(stage), () => watch.ids === 'x');
        // The thread has to know of the lease: with the second renewal at the latest it does.
        await sleep(stage.runtime.timers, leaseMs);
        const seen = watch.snapshots.length;
        child.stdin.write('block\n');
        assert.equal(await lines.next(), 'true 0', 'it holds itself for registered, and always has');
        assert.equal(watch.snapshots.length, seen, 'nobody ever saw it go');
      } finally {
        child.kill('SIGKILL');
      }
      const sinceMs = stage.runtime.clock.nowMs();
      await until(stage.runtime, 'x has gone', leaseMs + 1000, () => watch.ids === '');
      await watch.stop();
      return `killed, it was out after ${Math.round(stage.runtime.clock.nowMs() - sinceMs)} ms (lease ${leaseMs} ms)`;
    },
  };
}

function linesOf(child: ChildProcess): { next(): Promise<string | undefined> } {
  assert.ok(child.stdout !== null);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { next: async () => (await lines.next()).value };
}

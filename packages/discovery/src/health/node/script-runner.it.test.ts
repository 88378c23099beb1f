import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Call, HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { until } from '../../testing/registry-stage.ts';
import { startCheck } from '../running-check.ts';
import { scriptRunner } from './script-runner.ts';

const runtime = { ...nodeRuntime({ name: 'test' }), log: (): void => {} };
const address = { host: '127.0.0.1', port: 7001 };

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('script checks with real programs', { timeout: 30_000 }, () => {
  const calls: Call[] = [];
  const call = (): Call => {
    const made = Call.root(runtime);
    calls.push(made);
    return made;
  };
  after(() => {
    for (const made of calls) made.end();
  });

  it('gives exit code and output, and names the instance', async () => {
    const script = 'echo "$HEDDLE_CHECK_HOST:$HEDDLE_CHECK_PORT"; echo oops >&2; exit 3';
    const end = await scriptRunner(['/bin/sh', '-c', script], address, call());
    assert.equal(end.code, 3);
    assert.deepEqual(end.output.trim().split('\n').toSorted(), ['127.0.0.1:7001', 'oops']);
  });

  it('uses no shell: what looks like one is an argument', async () => {
    const end = await scriptRunner(['/bin/echo', '$(id)', ';', 'false', '*'], address, call());
    assert.deepEqual(end, { code: 0, output: '$(id) ; false *\n' });
  });

  it('says which program cannot be started', async () => {
    await assert.rejects(scriptRunner(['/no/such/program'], address, call()), {
      reason: 'SCRIPT_NOT_STARTED',
    });
  });

  it('keeps only the beginning of much output', async () => {
    const end = await scriptRunner(
      ['/bin/sh', '-c', 'head -c 10000000 /dev/zero | tr "\\0" x'],
      address,
      call(),
    );
    assert.deepEqual([end.code, end.output.length], [0, 4096]);
  });

  it('kills the program and all that it has started when the call is cancelled', async () => {
    const cancelled = call();
    const pids: number[] = [];
    const script = 'sleep 300 & echo $! > "$0"; echo $$ >> "$0"; wait';
    const { mkdtempSync, readFileSync, rmSync } = await import('node:fs');
    const folder = mkdtempSync('/tmp/heddle-script-');
    const file = `${folder}/pids`;
    const running = scriptRunner(['/bin/sh', '-c', script, file], address, cancelled);
    running.catch(() => {});
    await until(runtime, 'both run', 5000, () => {
      try {
        pids.splice(0, 2, ...readFileSync(file, 'utf8').trim().split('\n').map(Number));
      } catch {
        return false;
      }
      return pids.length === 2;
    });
    assert.deepEqual(pids.map(isAlive), [true, true]);
    cancelled.cancel(
      new HeddleError({ code: 'deadline_exceeded', reason: 'CHECK_TIMEOUT', message: 'late' }),
    );
    await assert.rejects(running, { reason: 'CHECK_TIMEOUT' });
    await until(runtime, 'neither lives', 5000, () => !pids.some(isAlive));
    rmSync(folder, { recursive: true });
  });

  it('leaves nobody behind who would hold the result up', async () => {
    const startedMs = runtime.clock.nowMs();
    const end = await scriptRunner(['/bin/sh', '-c', 'sleep 300 & exit 1'], address, call());
    assert.equal(end.code, 1);
    assert.ok(runtime.clock.nowMs() - startedMs < 5000);
  });

  it('drives a check: passing, warning, and critical when it takes too long', async () => {
    for (const [script, health] of [
      ['exit 0', 'passing'],
      ['exit 1', 'warning'],
      ['sleep 300', 'critical'],
    ] as const) {
      const running = startCheck({
        runtime,
        address,
        check: { kind: 'script', argv: ['/bin/sh', '-c', script] },
        scripts: scriptRunner,
        intervalMs: 100,
        timeoutMs: 1000,
        fall: 1,
      });
      await until(runtime, `${script} is ${health}`, 5000, () => running.health === health);
      running.stop();
    }
  });
});

import type { Runtime } from '@heddle/kernel';
import { SagaEngine } from '@heddle/data/saga';
import { sqlPool } from '@heddle/sql';
import type { BenchResult } from '../report.ts';
import { perSecond } from './per-second.ts';
import { type Subject, threeSteps } from './sagas.ts';

/** Sagas that a process has left in their first step when it died: how long until another has ended all of them. */
export async function recovery(
  runtime: Runtime,
  url: string,
  count: number,
  reference: Subject,
): Promise<BenchResult> {
  const raw = await perSecond(reference, 1, 1000);
  const pool = sqlPool(url, { runtime, maxConnections: 10 });
  const victim = new SagaEngine({ runtime, pool, url, definitions: [threeSteps] });
  await victim.start();
  await victim.stop();
  await pool.execute(
    `INSERT INTO heddle_sagas (id, name, version, status, input, state, correlation_id, worker)
       SELECT 'r' || n, 'three', 1, 'running', '{"total":7}', $1::json, 'r' || n, 'dead' FROM generate_series(1, $2::integer) AS n`,
    [interrupted, count],
  );
  const startedMs = performance.now();
  const heir = new SagaEngine({ runtime, pool, url, definitions: [threeSteps] });
  await heir.start();
  for (;;) {
    const open = await pool.query("SELECT 1 FROM heddle_sagas WHERE status <> 'completed' LIMIT 1");
    if (open.length === 0) break;
    await new Promise((resolve) => runtime.timers.after(20, () => resolve(undefined)));
  }
  const seconds = (performance.now() - startedMs) / 1000;
  await heir.stop();
  await pool.stop?.();
  // The same number of steps, each with one INSERT and nothing else, one after another.
  const rawSeconds = (count * 3) / raw;
  return {
    name: count === 10_000 ? 'recovery-10k' : `recovery-${count}`,
    subject: 'heddle',
    unit: 's',
    value: seconds,
    peer: 'raw-insert',
    peerValue: rawSeconds,
    ratio: rawSeconds / seconds,
    detail: `${count} interrupted sagas, beside an INSERT for each of their steps`,
    goal: 'at most 10 s',
    goalMet: seconds <= 10,
  };
}

const interrupted = JSON.stringify({
  status: 'running',
  at: 0,
  steps: { one: { phase: 'acting', attempts: 1, undoAttempts: 0 } },
  effective: [],
});

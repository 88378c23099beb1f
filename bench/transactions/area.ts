import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeRuntime } from '@heddle/kernel/node';
import { embeddedPostgres } from '@heddle/sql';
import { median } from '../measure.ts';
import type { BenchOptions, BenchOutcome, BenchResult, SkippedPeer } from '../report.ts';
import { dbosSagas } from './dbos.ts';
import { recovery } from './recovery.ts';
import { perSecond } from './per-second.ts';
import { ourSagas, rawInserts, rawWrites, type Subject } from './sagas.ts';
import { twoPhase } from './two-phase.ts';

const runtime = { ...nodeRuntime({ name: 'bench' }), log: () => {} };

/** What durable work costs, beside one durable INSERT, and beside those who do the same. All on one PostgreSQL. */
export async function transactionsBench({ quick, only }: BenchOptions): Promise<BenchOutcome> {
  const folder = await mkdtemp(path.join(tmpdir(), 'heddle-bench-'));
  const server = embeddedPostgres({ runtime, folder });
  await server.start();
  const wanted = (name: string): boolean => only === undefined || only === name;
  const results: BenchResult[] = [];
  const skipped: SkippedPeer[] = [];
  const database = (name: string): Promise<string> => server.createDatabase(name);
  try {
    const reference = await rawInserts(runtime, await database('ref'));
    if (wanted('saga3-1') || wanted('saga3-16')) {
      const ours = await ourSagas(runtime, await database('ours'));
      const dbos = await dbosSagas(await database('dbos'));
      const writes = await rawWrites(runtime, await database('writes'));
      const turnMs = quick ? 500 : 2000;
      for (const [atOnce, goal] of [
        [1, 4],
        [16, 10],
      ] as const)
        if (wanted(`saga3-${atOnce}`))
          results.push(
            ...(await compare([ours, dbos, reference, writes], atOnce, goal, turnMs, quick ? 3 : 5)),
          );
      await ours.stop();
      await dbos.stop();
      await writes.stop();
    }
    if (wanted('twophase'))
      results.push(
        await twoPhase(runtime, [await database('log'), await database('one'), await database('two')], quick),
      );
    if (wanted('recovery-10k'))
      results.push(await recovery(runtime, await database('recovery'), quick ? 1000 : 10_000, reference));
    await reference.stop();
    skipped.push({
      name: 'saga3-1, saga3-16',
      peer: 'temporal',
      reason: 'its server is a download of its own that npm does not have',
    });
    return { results, skipped };
  } finally {
    await server.stop?.();
    await rm(await realpath(path.join(folder, 'server')), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

/** Turn by turn, so that what disturbs the machine disturbs all. */
async function compare(
  subjects: readonly [Subject, Subject, Subject, Subject],
  atOnce: number,
  times: number,
  turnMs: number,
  rounds: number,
): Promise<BenchResult[]> {
  const samples = subjects.map((): number[] => []);
  for (const subject of subjects) await perSecond(subject, atOnce, turnMs / 4);
  for (let round = 0; round < rounds; round += 1)
    for (const [at, subject] of subjects.entries())
      samples[at]?.push(await perSecond(subject, atOnce, turnMs));
  const [ours = 0, dbos = 0, raw = 0, writes = 0] = samples.map(median);
  const shared = { name: `saga3-${atOnce}`, subject: 'heddle', unit: '1/s', value: ours };
  const ratio = ours / dbos;
  return [
    { ...shared, peer: 'dbos', peerValue: dbos, ratio, goal: `at least ${times}`, goalMet: ratio >= times },
    { ...shared, peer: 'raw-insert', peerValue: raw, ratio: ours / raw, detail: 'one row, one commit' },
    {
      ...shared,
      peer: 'raw-writes',
      peerValue: writes,
      ratio: ours / writes,
      detail: 'its four writes, each a commit: the limit',
    },
  ];
}

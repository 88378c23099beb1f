import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeRuntime } from '@heddle/kernel/node';
import { embeddedPostgres } from '@heddle/sql';
import type { BenchOptions, BenchOutcome, BenchResult, SkippedPeer } from '../report.ts';
import { dbosSagas } from './dbos.ts';
import { recovery } from './recovery.ts';
import { contestant } from './per-second.ts';
import { ourSagas, rawInserts, rawWrites } from './sagas.ts';
import { sagasBeside } from './sagas-beside.ts';
import { temporalWorkflows } from './temporal.ts';
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
      const inPostgres = [
        await ourSagas(runtime, await database('ours')),
        await dbosSagas(await database('dbos')),
        await rawWrites(runtime, await database('writes')),
        reference,
      ].map((subject) => contestant(subject, server.pid));
      const temporal = await temporalWorkflows();
      if ('missing' in temporal)
        skipped.push({ name: 'saga3-1, saga3-16', peer: 'temporal', reason: temporal.missing });
      const contestants = 'missing' in temporal ? inPostgres : [...inPostgres, temporal];
      const turnMs = quick ? 500 : 1500;
      for (const atOnce of [1, 16])
        if (wanted(`saga3-${atOnce}`))
          results.push(...(await sagasBeside(contestants, atOnce, turnMs, quick ? 3 : 5)));
      for (const each of contestants) if (each.name !== reference.name) await each.stop();
    }
    if (wanted('twophase'))
      results.push(
        await twoPhase(runtime, [await database('log'), await database('one'), await database('two')], quick),
      );
    if (wanted('recovery-10k'))
      results.push(await recovery(runtime, await database('recovery'), quick ? 1000 : 10_000, reference));
    await reference.stop();
    return { results, skipped };
  } finally {
    await server.stop?.();
    await rm(await realpath(path.join(folder, 'server')), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

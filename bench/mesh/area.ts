// `npm run bench -- mesh`: one file for each of its results.
import type { BenchOptions, BenchOutcome } from '../report.ts';
import { endpointChangeBench } from './endpoint-change.ts';
import { sidecarBench } from './sidecar.ts';

const benches: Readonly<Record<string, (options: BenchOptions) => Promise<BenchOutcome>>> = {
  'endpoint-change-p99': endpointChangeBench,
  'sidecar-cpu-per-call': sidecarBench,
};

/** Measures everything, or what `options.only` names. */
export async function meshBench(options: BenchOptions): Promise<BenchOutcome> {
  const { only } = options;
  const outcomes: BenchOutcome[] = [];
  for (const [name, bench] of Object.entries(benches))
    if (only === undefined || only === name) outcomes.push(await bench(options));
  return {
    results: outcomes.flatMap(({ results }) => results),
    skipped: outcomes.flatMap(({ skipped }) => skipped),
  };
}

// `npm run bench -- telemetry`: what being observed costs, how much comes in, and what the store does with it.
import type { BenchOptions, BenchOutcome } from '../report.ts';
import { intakeResults } from './intake.ts';
import { observedResults } from './observed.ts';
import { storeResults } from './store.ts';

/** Measures everything, or what `options.only` names. */
export async function telemetryBench(options: BenchOptions): Promise<BenchOutcome> {
  const wanted = (name: string): boolean => options.only === undefined || options.only === name;
  const results = [
    ...(await observedResults(options, wanted)),
    ...(await intakeResults(options, wanted)),
    ...storeResults(options, wanted),
  ];
  return { results, skipped: [] };
}

// `npm run bench -- calls`: what it costs to choose an instance, beside peers' ways to do it.
import type { BenchOptions, BenchOutcome, BenchResult } from '../report.ts';
import { pickResults } from './picks.ts';
import { updateResults } from './updates.ts';

/** Measures everything, or what `options.only` names. */
export async function callsBench(options: BenchOptions): Promise<BenchOutcome> {
  const wanted = (name: string): boolean => options.only === undefined || options.only === name;
  const results: BenchResult[] = [...(await pickResults(options, wanted)), ...updateResults(options, wanted)];
  return { results, skipped: [] };
}

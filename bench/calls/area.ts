// `npm run bench -- calls`: what it costs to choose an instance, and a call with all that is around it.
import type { BenchOptions, BenchOutcome, BenchResult } from '../report.ts';
import { fullStackResults } from './full-stack.ts';
import { memoryResults } from './memory.ts';
import { overloadResults } from './overload.ts';
import { pickResults } from './picks.ts';
import { updateResults } from './updates.ts';

/** Measures everything, or what `options.only` names. */
export async function callsBench(options: BenchOptions): Promise<BenchOutcome> {
  const wanted = (name: string): boolean => options.only === undefined || options.only === name;
  const picks: BenchResult[] = [...(await pickResults(options, wanted)), ...updateResults(options, wanted)];
  const { results, skipped } = await fullStackResults(options, wanted);
  const others = [...(await overloadResults(options, wanted)), ...(await memoryResults(options))];
  return { results: [...results, ...others, ...picks], skipped };
}

// `npm run bench -- calls`: what a call costs with all that is around it.
import type { BenchOptions, BenchOutcome } from '../report.ts';
import { fullStackResults } from './full-stack.ts';

/** Measures everything, or what `options.only` names. */
export async function callsBench(options: BenchOptions): Promise<BenchOutcome> {
  const wanted = (name: string): boolean => options.only === undefined || options.only === name;
  return fullStackResults(options, wanted);
}

// The contract suites as a step: `scripts/contracts.ts --json` prints one `{ area, results }` object per line.
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ContractResult } from './contracts/result.ts';
import type { Step, Tally } from './steps.ts';

/** Runs all areas; `unsupported` is a documented answer and counts as nothing, `skipped` means there was no engine. */
export function contracts(): Step {
  const output = path.join(tmpdir(), `heddle-contracts-${process.pid}.jsonl`);
  const args = ['--conditions=@heddle/source', 'scripts/contracts.ts', '--json', '--output', output];
  const tally = (): Tally => {
    const counted = parseContracts(readFileSync(output, 'utf8'));
    rmSync(output, { force: true });
    return counted;
  };
  // The fault matrix of transactions takes long: here a few of its cells, and all of them by `npm run contracts`.
  process.env['HEDDLE_CONTRACTS'] ??= 'short';
  return { name: 'contracts', command: process.execPath, args, tally };
}

/** A result in a line; of a long detail its beginning, as the whole stands in the output of the step. */
function named(
  { area, backend, case: name, detail }: ContractResult & { area: string },
  otherwise: string,
): string {
  const reason = (detail ?? otherwise).replaceAll(/\s+/g, ' ').slice(0, 400);
  return `contracts ${area}: ${backend}: ${name} (${reason})`;
}

/** Counts the results of all areas. */
export function parseContracts(lines: string): Tally {
  const areas = lines
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { area: string; results: ContractResult[] });
  const all = areas.flatMap(({ area, results }) => results.map((result) => ({ area, ...result })));
  return {
    passed: all.filter((result) => result.status === 'pass').length,
    failed: all.filter((result) => result.status === 'fail').length,
    failures: all.filter((result) => result.status === 'fail').map((result) => named(result, 'no detail')),
    skipped: all
      .filter((result) => result.status === 'skipped')
      .map((result) => named(result, 'not to be had here')),
  };
}

// The contract suites as a step: `scripts/contracts.ts --json` prints one `{ area, results }` object per line.
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ContractResult } from './contracts/result.ts';
import { nothing, type Step, type Tally } from './steps.ts';

/** More suites than this failing at once is not the load of a machine. */
const mostAgain = 4;

/**
 * Runs all areas; `unsupported` is a documented answer and counts as nothing, `skipped` means there was no engine. A
 * suite with a failure runs once more, alone.
 */
export function contracts(): Step {
  let failed: readonly Suite[] = [];
  const first = step('contracts', [], (lines) => {
    failed = failedSuites(lines);
  });
  const again = (): Step[] =>
    failed.length > mostAgain
      ? []
      : failed.map(({ area, backend }) => step(`${area} ${backend}, again`, [area, '--backend', backend]));
  return { ...first, again };
}

interface Suite {
  readonly area: string;
  readonly backend: string;
}

function step(name: string, asked: readonly string[], seen: (lines: string) => void = () => {}): Step {
  const output = path.join(tmpdir(), `heddle-${name.replaceAll(/\W+/g, '-')}-${process.pid}.jsonl`);
  const args = [
    '--conditions=@heddle/source',
    'scripts/contracts.ts',
    ...asked,
    '--json',
    '--output',
    output,
  ];
  const tally = (): Tally => {
    const lines = readFileSync(output, 'utf8');
    rmSync(output, { force: true });
    seen(lines);
    return parseContracts(lines);
  };
  // The fault matrix of transactions takes long: here a few of its cells, and all of them by `npm run contracts`.
  process.env['HEDDLE_CONTRACTS'] ??= 'short';
  return { name, command: process.execPath, args, tally };
}

/** A result in a line; of a long detail its beginning, as the whole stands in the output of the step. */
function named({ area, backend, case: name, detail }: AreaResult, otherwise: string): string {
  const reason = (detail ?? otherwise).replaceAll(/\s+/g, ' ').slice(0, 400);
  return `contracts ${area}: ${backend}: ${name} (${reason})`;
}

type AreaResult = ContractResult & { readonly area: string };

function resultsIn(lines: string): readonly AreaResult[] {
  return lines
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { area: string; results: ContractResult[] })
    .flatMap(({ area, results }) => results.map((result) => ({ area, ...result })));
}

/** The suites with a failure, each once. */
export function failedSuites(lines: string): readonly Suite[] {
  const failed = resultsIn(lines).filter(({ status }) => status === 'fail');
  const suites = new Map(failed.map(({ area, backend }) => [`${area} ${backend}`, { area, backend }]));
  return [...suites.values()];
}

/** Counts the results of all areas. */
export function parseContracts(lines: string): Tally {
  const all = resultsIn(lines);
  const failed = all.filter(({ status }) => status === 'fail');
  return {
    ...nothing,
    passed: all.filter(({ status }) => status === 'pass').length,
    failed: failed.length,
    failures: failed.map((result) => named(result, 'no detail')),
    skipped: all
      .filter(({ status }) => status === 'skipped')
      .map((result) => named(result, 'not to be had here')),
  };
}

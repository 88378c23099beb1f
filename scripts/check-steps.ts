// The steps of `npm run check`, longest first so that two at a time end together.
import { isUnitTest, repositoryFiles } from './files.ts';
import { nodeTests } from './node-tests.ts';
import type { Step } from './steps.ts';

/** The checks that need nothing but the files of the repository. */
export function checkSteps(): Step[] {
  const files = repositoryFiles();
  const linted = ['packages', 'apps', 'examples', 'bench', 'scripts', 'simulations', 'fuzz'].filter(
    (folder) => files.some((file) => file.startsWith(`${folder}/`) && file.endsWith('.ts')),
  );
  const units = files.filter(isUnitTest);
  return [
    { name: 'types', command: 'tsc', args: ['-p', 'tsconfig.json', '--pretty', 'false'] },
    { name: 'types of the pages', command: 'tsc', args: ['-p', 'apps/console', '--pretty', 'false'] },
    { name: 'lint', command: 'oxlint', args: ['--type-aware', '--format=unix', ...linted] },
    { name: 'arrows', command: 'depcruise', args: ['--config', '.dependency-cruiser.mjs', ...linted] },
    { name: 'unit tests', ...(units.length === 0 ? nothingToTest : nodeTests('unit tests', units, 'none')) },
    { name: 'dead code', command: 'knip', args: ['--no-progress', '--no-config-hints'] },
    { name: 'house rules', command: process.execPath, args: ['scripts/house-rules.ts'] },
    { name: 'format', command: 'biome', args: ['format', '--colors=off'] },
  ];
}

const nothingToTest = {
  command: process.execPath,
  args: ['--eval', 'throw new Error("no unit tests found")'],
};

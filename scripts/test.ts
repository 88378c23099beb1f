// `npm test`: the check, then everything that opens sockets or starts processes. Continuous integration runs this.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { checkSteps } from './check-steps.ts';
import { closingLine } from './closing-line.ts';
import { contracts } from './contract-step.ts';
import { isIntegrationTest, repositoryFiles, root } from './files.ts';
import { nodeTests } from './node-tests.ts';
import { runSteps, type Step, sum } from './steps.ts';
import { provideTestTools } from './test-tools.ts';

const integration = repositoryFiles().filter(isIntegrationTest);

const slow: Step[] = [
  { name: 'build', command: process.execPath, args: ['scripts/build.ts'] },
  // What is published is what was built: so the shape of the packages is looked at after it.
  { name: 'package shape', command: process.execPath, args: ['scripts/package-shape.ts'] },
  {
    name: 'packages installed',
    command: process.execPath,
    args: ['--conditions=@heddle/source', 'scripts/release/installed.ts'],
  },
  ...(integration.length === 0 ? [] : [nodeTests('integration tests', integration, 'process')]),
  ...(existsSync(path.join(root, 'scripts/contracts.ts')) ? [contracts()] : []),
];

const checked = await runSteps(checkSteps(), 2);
await provideTestTools();
const tally = sum([checked, await runSteps(slow, 1)]);
process.exitCode = closingLine(tally);

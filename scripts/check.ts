// `npm run check`: everything that takes seconds. Passes or fails; says how long each step took.
import { closingLine } from './closing-line.ts';
import { checkSteps } from './check-steps.ts';
import { runSteps } from './steps.ts';

const tally = await runSteps(checkSteps(), 2);
process.exitCode = closingLine(tally);

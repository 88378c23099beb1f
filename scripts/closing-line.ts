// The end of `npm run check` and `npm test`: what was skipped, what failed, what is unsteady, and one line that a CI can read.
import type { Tally } from './steps.ts';

/** Prints the result, the counts alone on the last line, and returns the exit code. */
export function closingLine(tally: Tally): number {
  if (tally.skipped.length > 0) {
    console.log(`\nSKIPPED, so neither passed nor failed (${tally.skipped.length}):`);
    for (const name of tally.skipped) console.log(`  - ${name}`);
  }
  // By name and last: whoever reads the end of a long log knows what to look for in the rest.
  if (tally.failures.length > 0) {
    console.log(`\nFAILED (${tally.failures.length}):`);
    for (const name of tally.failures) console.log(`  - ${name}`);
  }
  if (tally.unsteady.length > 0) {
    console.log(
      `\nUNSTEADY, failed beside others and passed alone; each is a defect (${tally.unsteady.length}):`,
    );
    for (const name of tally.unsteady) console.log(`  - ${name}`);
  }
  console.log(`\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped.length} skipped`);
  return tally.failed === 0 ? 0 : 1;
}

import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Scenario } from '../scenario.ts';

/**
 * The scenarios of a folder: each `.ts` or `.js` file in it that exports `scenario`, in order of name. They are
 * loaded by path because a scenario of the whole stack imports packages that this one must not know.
 */
export async function loadScenarios(folder: string): Promise<Scenario[]> {
  if (!existsSync(folder)) {
    throw new Error(`expected a folder of scenarios at ${folder}; there is none (see --folder)`);
  }
  const files = readdirSync(folder)
    .filter((file) => /\.[jt]s$/.test(file) && !file.includes('.test.'))
    .toSorted();
  const scenarios: Scenario[] = [];
  for (const file of files) {
    const loaded: unknown = await import(pathToFileURL(resolve(folder, file)).href);
    if (isScenarioModule(loaded)) scenarios.push(loaded.scenario);
  }
  return scenarios;
}

function isScenarioModule(loaded: unknown): loaded is { scenario: Scenario } {
  return typeof loaded === 'object' && loaded !== null && 'scenario' in loaded;
}

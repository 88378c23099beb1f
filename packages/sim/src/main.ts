import process from 'node:process';
import { nodeClock } from '@heddle/kernel/node';
import { runCampaign } from './campaign.ts';
import { readCommandLine, usage } from './command-line.ts';
import { loadScenarios } from './node/scenario-files.ts';
import { watchProcess } from './node/watch-process.ts';

async function main(): Promise<number> {
  const plan = readCommandLine(process.argv.slice(2));
  if (plan === undefined) {
    console.log(usage);
    return 0;
  }
  const all = await loadScenarios(plan.folder);
  const chosen = all.filter(({ name }) => plan.scenarios.length === 0 || plan.scenarios.includes(name));
  if (chosen.length === 0) {
    const known = all.map(({ name }) => name).join(', ');
    throw new Error(`no scenario ${plan.scenarios.join(', ')} in ${plan.folder}; there are: ${known}`);
  }
  const tools = { clock: nodeClock, watch: watchProcess, print: (line: string) => console.log(line) };
  const failures = await runCampaign(chosen, plan, tools);
  console.log(failures === 0 ? 'all promises kept' : `${failures} failed`);
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main().catch((thrown: unknown) => {
  console.error(thrown instanceof Error ? thrown.message : String(thrown));
  return 2;
});

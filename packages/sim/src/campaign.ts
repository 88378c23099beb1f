import type { Clock } from '@heddle/kernel';
import type { CommandLine } from './command-line.ts';
import { findDifference, type MistakeWatch, runSeed, type Scenario, type SeedReport } from './scenario.ts';

/** What a campaign needs of the process that it runs in. */
export interface CampaignTools {
  readonly clock: Clock;
  readonly watch: MistakeWatch;
  /** Prints a line. */
  readonly print: (line: string) => void;
}

// A failing scenario is known to fail after so many seeds; the rest of them would only hide the first.
const mostFailures = 5;
const progressEveryMs = 5000;

/**
 * Runs each scenario under many seeds, one after another, and prints how it goes: the failing ones in full.
 * Resolves with the number of failures; determinism counts as one more promise of each scenario.
 */
export async function runCampaign(
  scenarios: readonly Scenario[],
  plan: CommandLine,
  tools: CampaignTools,
): Promise<number> {
  let failures = 0;
  for (const scenario of scenarios) failures += await runScenario(scenario, plan, tools);
  return failures;
}

async function runScenario(scenario: Scenario, plan: CommandLine, tools: CampaignTools): Promise<number> {
  const { clock, watch, print } = tools;
  const startMs = clock.nowMs();
  let [failures, lines, simulatedMs, done] = [0, 0, 0, 0];
  let nextProgressMs = startMs + progressEveryMs;
  const state = (): string => {
    const seconds = ((clock.nowMs() - startMs) / 1000).toFixed(1);
    const story = `${Math.round(lines / done)} events and ${(simulatedMs / done / 1000).toFixed(0)} simulated s each`;
    return `${scenario.name}: ${done}/${plan.seeds} seeds, ${failures} failed, ${story}, ${seconds} s`;
  };
  print(`${scenario.name}: ${scenario.summary}`);
  for (let seed = plan.firstSeed; seed < plan.firstSeed + plan.seeds && failures < mostFailures; seed++) {
    const report = await runSeed(scenario, seed, watch);
    done++;
    lines += report.lines.length;
    simulatedMs += report.simulatedMs;
    failures += printReport(report, plan, print);
    if (plan.compare || seed === plan.firstSeed) failures += await compare(scenario, seed, tools);
    if (clock.nowMs() < nextProgressMs) continue;
    nextProgressMs = clock.nowMs() + progressEveryMs;
    print(state());
  }
  print(state());
  return failures;
}

function printReport(
  { failure, lines }: SeedReport,
  plan: CommandLine,
  print: (line: string) => void,
): number {
  if (plan.transcript) for (const line of lines) print(line);
  if (failure === undefined) return 0;
  print(`FAILED ${failure.message}`);
  return 1;
}

async function compare(scenario: Scenario, seed: number, { watch, print }: CampaignTools): Promise<number> {
  const difference = await findDifference(scenario, seed, watch);
  if (difference === undefined) return 0;
  print(`FAILED ${scenario.name}, seed ${seed}: two runs differ from line ${difference.line + 1} on:`);
  print(`  first:  ${difference.first ?? '(ended)'}`);
  print(`  second: ${difference.second ?? '(ended)'}`);
  return 1;
}

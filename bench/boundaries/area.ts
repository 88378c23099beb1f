import { measured } from '../../scripts/contracts/boundaries/measured.ts';
import { codeBase, referenceText, samplesMissing } from '../../scripts/contracts/boundaries/samples.ts';
import type { BenchOptions, BenchOutcome, BenchResult, SkippedPeer } from '../report.ts';
import { recovery } from './recovery.ts';
import { scale } from './scale.ts';

const peer = 'data-centric';
/** What the best published tool reaches (Wang, Bornais, Rubin, ASE 2024, class level), and our goals. */
const published = [
  { system: 'jpetstore', value: 76.19, goal: 81 },
  { system: 'partsunlimited', value: 50, goal: 72 },
] as const;

/** How good and how fast boundaries are found. */
export async function boundariesBench({ quick, only }: BenchOptions): Promise<BenchOutcome> {
  const wanted = (prefix: string): boolean => only === undefined || only.startsWith(prefix);
  const skipped: SkippedPeer[] = [];
  const results: BenchResult[] = wanted('mojofm') ? references(skipped) : [];
  if (wanted('planted')) results.push(...recovery(quick));
  if (wanted('scale') || wanted('memory')) {
    const rounds = quick ? 1 : 3;
    for (const size of quick ? [20_000] : [2500, 5000, 10_000, 20_000]) results.push(...scale(size, rounds));
  }
  return { results: results.filter(({ name }) => only === undefined || name === only), skipped };
}

function references(skipped: SkippedPeer[]): BenchResult[] {
  const reason = samplesMissing();
  if (reason !== undefined) {
    skipped.push(...published.map(({ system }) => ({ name: `mojofm-${system}`, peer, reason })));
    return [];
  }
  return published.map(({ system, value, goal }) => {
    const found = measured(codeBase(system), referenceText(system));
    return {
      name: `mojofm-${system}`,
      subject: 'heddle',
      unit: '%',
      value: found.mojofm,
      peer,
      peerValue: value,
      ratio: found.mojofm / value,
      detail: `published; ours with ARI ${found.ari.toFixed(2)}, ${found.services} services, which were not given`,
      goal: `at least ${goal}`,
      goalMet: found.mojofm >= goal,
    };
  });
}

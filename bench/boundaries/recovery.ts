import { adjustedRand, analyse } from '@heddle/boundaries';
import { median } from '../measure.ts';
import type { BenchResult } from '../report.ts';
import { libraries } from './peers.ts';
import { type Planted, plant } from './planted.ts';

const shapes = [
  { size: 128, groups: 4 },
  { size: 1000, groups: 50 },
  { size: 5000, groups: 100 },
];
const noises = [0.1, 0.2, 0.3, 0.4, 0.5];

/** How well planted groups are found again (adjusted Rand index), beside the libraries, at each level of noise. */
export function recovery(quick: boolean): BenchResult[] {
  const seeds = quick ? [1] : [1, 2, 3];
  const measured = quick ? shapes.slice(0, 1) : shapes;
  return measured.flatMap(({ size, groups }) =>
    noises.flatMap((noise) => {
      const systems = seeds.map((seed) => plant({ size, groups, dependencies: size * 8, noise, seed }));
      const value = median(systems.map((planted) => adjustedRand(ours(planted), planted.truth)));
      return libraries.map((library): BenchResult => {
        const theirs = systems.map((planted, at) =>
          adjustedRand(library.group(planted, seeds[at] ?? 1), planted.truth),
        );
        const peerValue = median(theirs);
        // Where a library finds the groups, so must we.
        const held = peerValue >= 0.95 && { goal: 'ARI of at least 0.95', goalMet: value >= 0.95 };
        return {
          name: `planted-${size}-${groups}-noise-${noise}`,
          subject: 'heddle',
          unit: 'ARI',
          value,
          peer: library.name,
          peerValue,
          ratio: value / peerValue,
          ...held,
        };
      });
    }),
  );
}

function ours({ system }: Planted): number[] {
  const report = analyse(system);
  const home = new Map(
    report.services.flatMap(({ name, capabilities }) => capabilities.map((each) => [each, name] as const)),
  );
  const numbers = new Map(report.services.map(({ name }, at) => [name, at]));
  return system.capabilities.map(({ name }) => numbers.get(home.get(name) ?? '') ?? -1);
}

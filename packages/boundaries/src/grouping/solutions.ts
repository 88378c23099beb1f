import type { Coupling } from '../coupling/coupling.ts';
import type { System } from '../model/system.ts';
import { finer } from './finer.ts';
import type { Edges } from './graph.ts';
import { withMinSize } from './min-size.ts';
import { best, Grouping, type Partition } from './partition.ts';
import { type Significance, significanceOf } from './significance.ts';
import { seeded } from './random.ts';
import { strongGroups } from './strong.ts';

/** A proposal among several. */
export interface Solution {
  readonly partition: Partition;
  readonly groups: number;
  /** How it came about, for people. */
  readonly origin: string;
  /** Of the modularity that it has the most of; 1 where it came about otherwise. */
  readonly resolution: number;
  readonly modularity: number;
  /** The share of all coupling that runs between groups. Less is better, and one group has none. */
  readonly crossing: number;
  /** The complexity of the group that has most. Less is better, and single capabilities have least. */
  readonly largest: number;
}

/** What grouping has found. */
export interface Solutions {
  readonly recommended: Solution;
  /** All that no other beats in both crossing and largest, the recommended among them or not; by number of groups. */
  readonly tradeOff: readonly Solution[];
  readonly significance: Significance;
  /** For each capability of the recommended solution; see `stabilityOf`. */
  readonly stability: Float64Array;
}

/** The resolutions that are tried beside 1. */
const resolutions = [0.25, 0.5, 0.75, 1.25, 1.5, 2, 3, 5];
const fewResolutions = [0.5, 2];

/** How to group. */
export interface GroupingOptions {
  /** Of the starts. Default 1. */
  readonly seed?: number;
  /** How many services are wanted. Without it the coupling decides. */
  readonly services?: number;
}

/** Groups a system. The same system and seed give the same solutions, whatever the order of the input. */
export function solutionsOf(system: System, coupling: Coupling, options: GroupingOptions = {}): Solutions {
  const { seed = 1, services } = options;
  const grouping = new Grouping(coupling, system.constraints);
  const effort = { ...effortOf(coupling.capabilities.length), seed };
  const { minSize } = system.constraints;
  const finish = (partition: Partition): Partition =>
    minSize === undefined ? partition : withMinSize(grouping, partition, minSize);
  const solve = (partition: Partition, origin: string, resolution = 1): Solution =>
    solutionOf(grouping, finish(partition), origin, resolution);

  const coarse = best(grouping, 1, effort);
  const significance = significanceOf(grouping.graph, grouping.bodies(seed), grouping.modularity(coarse), {
    rounds: effort.rewirings,
    seed,
  });
  const byStructure = solve(structural(grouping, coarse, effort), 'the structure of the coupling');
  const byStrength = solve(strongGroups(grouping), 'strong coupling only');
  const structured = system.kind === 'parts' || significance.significant;
  const chosen = structured ? byStructure : byStrength;
  const recommended =
    services === undefined || services === chosen.groups
      ? chosen
      : ofCount(services, grouping, effort, solve);
  const regroup = (changed: Grouping): Partition =>
    finish(
      recommended === byStrength
        ? strongGroups(changed)
        : recommended === byStructure
          ? structural(changed, best(changed, 1, { ...effort, starts: 1 }), effort)
          : best(changed, recommended.resolution, { ...effort, starts: 1 }),
    );
  const tried = coupling.capabilities.length <= 3000 ? resolutions : fewResolutions;
  const others = tried.map((resolution) => {
    const partition = best(grouping, resolution, { ...effort, starts: Math.min(3, effort.starts) });
    return solve(partition, `the structure at resolution ${resolution}`, resolution);
  });
  return {
    recommended,
    tradeOff: undominated([recommended, byStructure, byStrength, ...others]),
    significance,
    stability: stabilityOf(grouping, recommended, regroup, effort),
  };
}

/** A partition with those of its groups divided that are systems of their own. */
function structural(grouping: Grouping, coarse: Partition, effort: Effort): Partition {
  return finer(grouping, coarse, Math.max(4, effort.rewirings), effort.seed);
}

/** Resolutions are tried by halving until one gives the wanted number; the nearest one else. */
function ofCount(
  wanted: number,
  grouping: Grouping,
  effort: Effort,
  solve: (partition: Partition, origin: string, resolution: number) => Solution,
): Solution {
  let [low, high] = [0.01, 64];
  let nearest: Solution | undefined;
  for (let round = 0; round < 24; round++) {
    const resolution = Math.sqrt(low * high);
    const partition = best(grouping, resolution, { ...effort, starts: Math.min(3, effort.starts) });
    const found = solve(
      partition,
      `the structure at resolution ${resolution.toPrecision(3)}, for ${wanted} services`,
      resolution,
    );
    const distance = Math.abs(found.groups - wanted);
    if (nearest === undefined || distance < Math.abs(nearest.groups - wanted)) nearest = found;
    if (distance === 0) break;
    if (found.groups < wanted) low = resolution;
    else high = resolution;
  }
  return nearest as Solution;
}

interface Effort {
  readonly starts: number;
  readonly passes: number;
  readonly rewirings: number;
  readonly trials: number;
  readonly seed: number;
}

/** Small systems are tried from many starts; large ones vary less and cost more. */
function effortOf(size: number): Omit<Effort, 'seed'> {
  if (size <= 300) return { starts: 30, passes: 10, rewirings: 20, trials: 20 };
  if (size <= 3000) return { starts: 8, passes: 4, rewirings: 3, trials: 5 };
  return { starts: 1, passes: 2, rewirings: 0, trials: 1 };
}

function solutionOf(grouping: Grouping, partition: Partition, origin: string, resolution: number): Solution {
  const { edges, coupling } = grouping;
  let [crossing, all] = [0, 0];
  edges.weight.forEach((weight, at) => {
    all += weight;
    if (partition[edges.from[at] as number] !== partition[edges.to[at] as number]) crossing += weight;
  });
  const groups = partition.reduce((most, group) => Math.max(most, group + 1), 0);
  const complexity = new Float64Array(groups);
  partition.forEach((group, at) => {
    complexity[group] = (complexity[group] as number) + (coupling.capabilities[at]?.complexity ?? 0);
  });
  return {
    partition,
    groups,
    origin,
    resolution,
    modularity: grouping.modularity(partition),
    crossing: all === 0 ? 0 : crossing / all,
    largest: complexity.reduce((most, own) => Math.max(most, own), 0),
  };
}

function undominated(solutions: readonly Solution[]): Solution[] {
  const distinct = [...new Map(solutions.toReversed().map((each) => [each.partition.join(), each])).values()];
  const beats = (x: Solution, y: Solution): boolean =>
    x.crossing <= y.crossing && x.largest <= y.largest && (x.crossing < y.crossing || x.largest < y.largest);
  return distinct
    .filter((each) => !distinct.some((other) => beats(other, each)))
    .sort((x, y) => x.groups - y.groups || x.crossing - y.crossing);
}

/**
 * Groups again, by the same rule, with every coupling changed at random by up to a tenth, and looks which bonds are
 * kept or cut as before. What falls otherwise then was decided by less than the evidence is good for.
 */
function stabilityOf(
  grouping: Grouping,
  { partition }: Solution,
  regroup: (changed: Grouping) => Partition,
  { trials, seed }: Effort,
): Float64Array {
  const { edges, coupling, constraints } = grouping;
  const others = Array.from({ length: trials }, (_, at) =>
    regroup(new Grouping(coupling, constraints, shaken(edges, seed + at))),
  );
  const kept = new Float64Array(partition.length);
  const bonds = new Float64Array(partition.length);
  edges.weight.forEach((weight, at) => {
    const [a, b] = [edges.from[at] as number, edges.to[at] as number];
    const together = partition[a] === partition[b];
    const alike = others.filter((each) => (each[a] === each[b]) === together).length;
    for (const end of [a, b]) {
      kept[end] = (kept[end] as number) + weight * (trials === 0 ? 1 : alike / trials);
      bonds[end] = (bonds[end] as number) + weight;
    }
  });
  return kept.map((weight, at) => (bonds[at] === 0 ? 1 : weight / (bonds[at] as number)));
}

function shaken(edges: Edges, seed: number): Edges {
  const random = seeded(seed);
  return { ...edges, weight: edges.weight.map((weight) => weight * (0.9 + 0.2 * random())) };
}
